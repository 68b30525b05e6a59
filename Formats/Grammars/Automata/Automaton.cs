namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Recognizes the texts of a grammar byte by byte. A state is the set of all ways to go on (items of derivatives with where their rules return
/// to, as Earley's and GLR parsers keep them, here as values: equal states are one object). What follows a state is found once and then remembered;
/// remembered states are forgotten when there are too many. Safe to use from several threads.
/// </summary>
internal sealed class Automaton
{
    private const long MaxRemembered = 1_500_000;
    private readonly Lock gate = new();
    private readonly ExpressionTable table = new();
    private readonly ByteClasses classes;
    private readonly RegularOperations operations;
    private readonly Explorer explorer;
    private readonly StateBuilder builder = new();
    private readonly Shortening shortening;
    private readonly Expression[] rules;
    private readonly int[] order;
    private readonly PriorityQueue<int, int> waiting = new();
    private readonly Dictionary<int, List<StateItem>> callers = [];
    private readonly Stack<List<StateItem>> spare = [];
    private readonly List<StateStep> explored = [];
    private int round;

    /// <exception cref="BadInputException">The grammar is malformed, too large, or no text belongs to it.</exception>
    public Automaton(GrammarRules grammar)
    {
        var built = ExpressionBuilder.Build(grammar, table);
        classes = new ByteClasses(table.Made);
        operations = new RegularOperations(table, classes);
        explorer = new Explorer(table);
        built = Pruning.Prune(built, table, operations);
        if (built.Root.Kind == ExpressionKind.Never) throw new BadInputException("grammar", null, "no finite text belongs to it");
        (rules, order) = LeftRecursion.Remove(table, built.Rules, operations);
        Specials = built.Specials;
        Size = table.Made.Count;
        table.Seal();
        shortening = new Shortening(table, builder);
        builder.Add(built.Root, builder.Bottom);
        Start = builder.Build();
    }

    /// <summary>The state before any text.</summary>
    public ParserState Start { get; }

    /// <summary>The special tokens of the grammar, by number.</summary>
    public string[] Specials { get; }

    /// <summary>How many expressions the grammar is.</summary>
    public int Size { get; }

    /// <summary>The classes of bytes.</summary>
    public ByteClasses Classes => classes;

    /// <summary>The state behind a byte; null where the byte cannot come next.</summary>
    public ParserState? Step(ParserState state, byte value)
    {
        var steps = state.Steps ?? Expand(state);
        if (!steps.Allows(value)) return null;
        var symbol = classes.Of[value];
        return steps[symbol] ?? Advance(steps, symbol);
    }

    /// <summary>The state behind a byte that can come next.</summary>
    public ParserState StepAllowed(StateSteps steps, byte value) => steps[classes.Of[value]] ?? Advance(steps, classes.Of[value]);

    /// <summary>The state behind a special token; null where it cannot come next.</summary>
    public ParserState? StepSpecial(ParserState state, int special)
    {
        var steps = state.Steps ?? Expand(state);
        foreach (var step in steps.All)
            if (step.Head.Kind == ExpressionKind.Special && step.Head.Least == special)
                return steps[classes.Count + special] ?? Advance(steps, classes.Count + special);
        return null;
    }

    /// <summary>Whether bytes can come next.</summary>
    public bool Takes(ParserState state, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var steps = state.Steps ?? Expand(state);
            if (steps.Run is { } run)
            {
                var from = i;
                var length = bytes[i..].IndexOfAnyExcept(run.First.Members);
                i = length < 0 ? bytes.Length : i + length;
                if (i - from > run.Most) return false;
                if (i == bytes.Length) return true;
            }
            if (Step(state, bytes[i]) is not { } next) return false;
            state = next;
        }
        return true;
    }

    /// <summary>The state without what a few bytes cannot reach.</summary>
    public ShortenedState Shorten(ParserState state)
    {
        lock (gate) return shortening.Shorten(state);
    }

    /// <summary>
    /// What can come next in a state, with a run that comes first (<see cref="StateSteps.Run"/>) without an end: the same for all continuations of up
    /// to so many bytes as the run may have.
    /// </summary>
    public StateSteps Loosen(ParserState state, StateSteps steps)
    {
        lock (gate)
        {
            if (steps.Loose is null)
            {
                var (rest, target) = state.Items[0];
                var run = table.Repeat(steps.Run!.First, 0, -1);
                builder.AddAsIs(rest.Kind == ExpressionKind.Sequence ? table.Sequence(run, rest.Second) : run, target);
                builder.SetEnds(state.IsComplete, state.IsOpen);
                steps.Loose = builder.Build();
            }
            return steps.Loose.Steps ?? Expand(steps.Loose);
        }
    }

    /// <summary>
    /// How many characters of a set may come first where they change nothing but how many more may, of a state that has all of them come first if
    /// it may have any number (which is for the caller to know); -1 where that is not so.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="low">ASCII characters of the set below 64, as bits.</param>
    /// <param name="high">ASCII characters of the set from 64 on, as bits.</param>
    /// <param name="hasOthers">Whether all other characters are in the set.</param>
    public int CountFirst(ParserState state, ulong low, ulong high, bool hasOthers)
    {
        if (state.Items.Length != 1) return -1;
        var (rest, target) = state.Items[0];
        var repeat = rest.Kind == ExpressionKind.Sequence ? rest.First : rest;
        if (repeat.Kind != ExpressionKind.Repeat || repeat.Least > 0 || repeat.Most < 1 || repeat.First.IsNullable) return -1;
        lock (gate)
        {
            var less = table.Repeat(repeat.First, 0, repeat.Most - 1);
            var behind = rest.Kind == ExpressionKind.Sequence ? table.Sequence(less, rest.Second) : less;
            foreach (var (head, tail, back) in (state.Steps ?? Expand(state)).All)
            {
                if (head.Kind == ExpressionKind.Special || (tail == behind && back == target && head.Kind == ExpressionKind.Bytes)) continue;
                if (head.Kind != ExpressionKind.Bytes || head.MayBegin(low, high, hasOthers)) return -1;
            }
        }
        return repeat.Most;
    }

    /// <summary>What can come next in a state.</summary>
    public StateSteps Expand(ParserState state)
    {
        lock (gate)
        {
            if (state.Steps is { } known) return known;
            explored.Clear();
            foreach (var (rest, target) in state.Items) Explore(rest, target);
            // Rules in the order in which they can begin with each other: when one is looked into, all its callers are known.
            while (waiting.TryDequeue(out var rule, out _))
            {
                callers.Remove(rule, out var its);
                Explore(rules[rule], builder.Continue(its!));
                its!.Clear();
                spare.Push(its);
            }
            var found = new StateSteps([.. explored], Live(), classes.Count + Specials.Length, FindRun(state));
            state.Steps = found;
            return found;
        }
    }

    private void Explore(Expression rest, Continuation target)
    {
        if (rest.Beginnings is not { } begins || begins.Round != round)
        {
            explorer.Explore(rest);
            rest.Beginnings = begins = new([.. explorer.Steps], [.. explorer.Calls], round);
        }
        foreach (var (head, tail) in begins.Steps) explored.Add(new(head, tail, target));
        foreach (var (rule, tail) in begins.Calls)
        {
            if (!callers.TryGetValue(rule, out var its))
            {
                callers[rule] = its = spare.TryPop(out var list) ? list : [];
                waiting.Enqueue(rule, order[rule]);
            }
            if (tail.Kind == ExpressionKind.Empty && target != builder.Bottom && target != builder.Unknown) its.AddRange(target.Items);
            else its.Add(new(tail, target));
        }
    }

    private Expression? FindRun(ParserState state)
    {
        if (state.Items.Length != 1) return null;
        var rest = state.Items[0].Rest;
        var run = rest.Kind == ExpressionKind.Sequence ? rest.First : rest;
        if (run.Kind != ExpressionKind.Repeat || run.Least > 0 || run.Most < 0 || run.First.Kind != ExpressionKind.Bytes) return null;
        if (!Array.TrueForAll(run.First.Items, target => target.Kind == ExpressionKind.Empty)) return null;
        Span<ulong> own = stackalloc ulong[4];
        Span<ulong> others = stackalloc ulong[4];
        run.First.AddTo(own);
        var seen = false;
        foreach (var step in explored)
        {
            if (step.Head == run.First && !seen) seen = true;
            else if (step.Head.Kind != ExpressionKind.Bytes) return null;
            else step.Head.AddTo(others);
        }
        for (var i = 0; i < 4; i++)
            if ((own[i] & others[i]) != 0) return null;
        return run;
    }

    private ulong[] Live()
    {
        var live = new ulong[4];
        foreach (var step in explored)
        {
            if (step.Head.Kind == ExpressionKind.Bytes) step.Head.AddTo(live);
            else if (step.Head.Kind is ExpressionKind.All or ExpressionKind.Not)
            {
                for (var number = 0; number < classes.Count; number++)
                    if (operations.Step(step.Head, number) is not null)
                        Expression.AddRange(live, classes.Sample(number), classes.Last(number));
            }
        }
        return live;
    }

    private ParserState Advance(StateSteps steps, int symbol)
    {
        lock (gate)
        {
            if (steps[symbol] is { } known) return known;
            Forget();
            foreach (var (head, tail, target) in steps.All)
            {
                var left = head.Kind switch
                {
                    ExpressionKind.Special => head.Least == symbol - classes.Count ? table.Empty : null,
                    _ when symbol >= classes.Count => null,
                    ExpressionKind.Bytes => head.Target(classes.Sample(symbol)),
                    _ => operations.Step(head, symbol),
                };
                if (left is not null) builder.Add(table.Sequence(left, tail), target);
            }
            return steps[symbol] = builder.Build();
        }
    }

    private void Forget()
    {
        if (builder.Remembered + table.Derived * 2L < MaxRemembered) return;
        builder.Clear();
        shortening.Clear();
        table.Trim();
        round++;
    }
}
