namespace Quilt.Formats.Chat.Jinja;

/// <summary>for target in items if filter recursive … else … endfor. Every turn has a scope of its own: what is set in it does not last.</summary>
internal sealed class For(int line, Target target, Expression items, Expression? filter, bool isRecursive, Block body, Block? otherwise)
    : Statement(line)
{
    private const int PerTurn = 48;             // what a turn counts beside its statements, in characters

    protected override Flow Do(Run run, Scope scope, Output output)
    {
        Go(run, scope, output, Python.Iterate(items.EvaluatePlain(run, scope)), depth: 0);
        return Flow.Next;
    }

    private void Go(Run run, Scope scope, Output output, IReadOnlyList<object?> all, int depth)
    {
        var chosen = filter is null ? all : Choose(run, scope, all);
        var loop = new LoopState(chosen, depth);
        if (isRecursive)
        {
            loop.Recurse = (inner, nested) =>
            {
                var text = new Output(inner);
                inner.Enter();
                Go(inner, scope, text, Python.Iterate(nested), depth + 1);
                inner.Leave();
                return inner.Captured(text.ToString());
            };
        }
        for (; loop.Index < chosen.Count; loop.Index++)
        {
            run.Spend(PerTurn);
            var turn = new Scope(scope) { ["loop"] = loop };
            target.Assign(chosen[loop.Index], turn);
            if (body.Execute(run, turn, output) == Flow.Break) return;
            run.Line = Line;
        }
        if (chosen.Count == 0) otherwise?.Execute(run, new Scope(scope), output);
    }

    private List<object?> Choose(Run run, Scope scope, IReadOnlyList<object?> all)
    {
        var chosen = new List<object?>();
        foreach (var item in all)
        {
            run.Spend(PerTurn);
            var turn = new Scope(scope);
            target.Assign(item, turn);
            if (Python.IsTrue(filter!.Evaluate(run, turn))) chosen.Add(item);
        }
        return chosen;
    }
}

/// <summary>The variable `loop`.</summary>
internal sealed class LoopState(IReadOnlyList<object?> items, int depth)
{
    private object? last;
    private bool hasLast;

    public int Index { get; set; }

    public int Length => items.Count;

    public override string ToString() => $"<LoopContext {Index + 1}/{items.Count}>";

    public Func<Run, object?, object?>? Recurse { get; set; }

    /// <summary>An attribute; null where there is none of that name.</summary>
    public object? Find(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => new Members.Holder(Index > 0 ? items[Index - 1] : new Undefined("there is no previous item")),
        "nextitem" => new Members.Holder(Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item")),
        "cycle" =>
            new Callable(name, (_, a) => a.Positional.Count > 0
                ? a.Positional[Index % a.Positional.Count]
                : throw new JinjaError("no items for cycling given")),
        "changed" => new Callable(name, (_, a) =>
        {
            var now = new JinjaTuple(a.Positional);
            var changed = !hasLast || !Python.AreEqual(last, now);
            (last, hasLast) = (now, true);
            return changed;
        }),
        _ => null,
    };
}
