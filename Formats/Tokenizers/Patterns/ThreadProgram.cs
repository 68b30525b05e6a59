using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>What a state of a <see cref="ThreadProgram"/> does.</summary>
internal enum ThreadKind
{
    /// <summary>The match ends here.</summary>
    Accept,
    /// <summary>Takes one code point of Set and goes to Targets[0].</summary>
    Take,
    /// <summary>Goes to each of Targets, the first one preferred.</summary>
    Fork,
    /// <summary>Goes to Targets[0] if the next code point is in Set.</summary>
    If,
    /// <summary>Goes to Targets[0] unless the next code point is in Set.</summary>
    Unless,
}

/// <summary>
/// A pattern as states that many threads could run through at once, all in step: what a <see cref="TransitionTable"/> is made from. Only patterns
/// whose meaning does not depend on giving up ways once taken have one: no possessive repeats, no atomic groups, no anchors, and nothing
/// looked at but the next code point.
/// </summary>
internal sealed class ThreadProgram
{
    private const int SizeLimit = 2000;
    private readonly List<(ThreadKind Kind, CodePointSet? Set, int[] Targets)> states = [(ThreadKind.Accept, null, [])];

    private ThreadProgram()
    {
    }

    public IReadOnlyList<(ThreadKind Kind, CodePointSet? Set, int[] Targets)> States => states;

    public int Start { get; private set; }

    /// <summary>The program of a pattern, or null where it cannot have one.</summary>
    public static ThreadProgram? From(PatternNode node)
    {
        var program = new ThreadProgram();
        program.Start = program.Build(node, next: 0);
        return program.Start >= 0 ? program : null;
    }

    // The state that a node begins at if next follows it, or -1.
    private int Build(PatternNode node, int next) => next < 0 ? -1 : node switch
    {
        SetNode set => Add(ThreadKind.Take, set.Set, next),
        SequenceNode sequence => sequence.Items.Reverse().Aggregate(next, (behind, item) => Build(item, behind)),
        AlternationNode choice => Fork([.. choice.Choices.Select(way => Build(way, next))]),
        LookNode { Behind: LookNode.Ahead, Body: SetNode body } look => Add(look.Negative ? ThreadKind.Unless : ThreadKind.If, body.Set, next),
        RepeatNode { Greed: not Greed.Possessive } repeat => Repeat(repeat, next),
        _ => -1,
    };

    private int Repeat(RepeatNode repeat, int next)
    {
        var start = next;
        if (repeat.Max == RepeatNode.Unbounded)
        {
            start = Fork([next, next]);
            if (start < 0 || Build(repeat.Body, start) is not (>= 0 and var body)) return -1;
            states[start] = (ThreadKind.Fork, null, Order(repeat, body, next));
        }
        else for (var i = repeat.Min; i < repeat.Max && start >= 0; i++) start = Fork(Order(repeat, Build(repeat.Body, start), next));
        for (var i = 0; i < repeat.Min && start >= 0; i++) start = Build(repeat.Body, start);
        return start;
    }

    private static int[] Order(RepeatNode repeat, int body, int next) => repeat.Greed == Greed.Lazy ? [next, body] : [body, next];

    private int Fork(int[] targets) => targets.Contains(-1) ? -1 : Add(ThreadKind.Fork, null, targets);

    private int Add(ThreadKind kind, CodePointSet? set, params int[] targets)
    {
        if (states.Count == SizeLimit) return -1;
        states.Add((kind, set, targets));
        return states.Count - 1;
    }
}
