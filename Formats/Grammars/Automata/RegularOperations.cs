namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Intersections and complements: what is left of them behind a byte, and whether any text is. All that can be left of those of a grammar is found
/// when it is built (<see cref="Explore"/>), so that nothing can grow later.
/// </summary>
internal sealed class RegularOperations(ExpressionTable table, ByteClasses classes)
{
    /// <summary>Most different remainders of one operation.</summary>
    public const int Limit = 20_000;

    private const int WorkLimit = 3_000_000;
    private readonly Explorer explorer = new(table);
    private int work;

    /// <summary>What is left of an operation behind a byte of a class; null where no text is.</summary>
    public Expression? Step(Expression operation, int number)
    {
        var left = Derive(operation, number);
        return IsVoid(left) ? null : left;
    }

    /// <summary>Whether no text belongs to an expression of regular parts.</summary>
    public bool IsVoid(Expression expression)
    {
        if (expression.Kind == ExpressionKind.Never) return true;
        if (expression.Kind is not (ExpressionKind.All or ExpressionKind.Not) || expression.IsNullable) return false;
        if (expression.IsVoid is { } known) return known;
        Explore(expression);
        return expression.IsVoid!.Value;
    }

    /// <summary>Finds all remainders of an operation, and which of them no text belongs to.</summary>
    /// <exception cref="BadInputException">There are too many.</exception>
    public void Explore(Expression operation)
    {
        var found = new List<Expression> { operation };
        var numbers = new Dictionary<Expression, int> { [operation] = 0 };
        var edges = new List<(int From, int To)>();
        for (var i = 0; i < found.Count; i++)
        {
            if (found[i].Kind is not (ExpressionKind.All or ExpressionKind.Not)) continue;
            for (var number = 0; number < classes.Count; number++)
            {
                var left = Derive(found[i], number);
                if (left.Kind == ExpressionKind.Never) continue;
                if (!numbers.TryGetValue(left, out var at))
                {
                    numbers[left] = at = found.Count;
                    found.Add(left);
                    if (found.Count > Limit)
                        throw new BadInputException("grammar", null, "an intersection or complement in it needs too many states");
                }
                edges.Add((i, at));
            }
        }
        var before = edges.ToLookup(edge => edge.To, edge => edge.From);
        // Whatever is no operation any more has texts.
        var alive = new bool[found.Count];
        var queue = new Queue<int>(Enumerable.Range(0, found.Count)
            .Where(i => found[i].IsNullable || found[i].Kind is not (ExpressionKind.All or ExpressionKind.Not)));
        foreach (var i in queue) alive[i] = true;
        while (queue.TryDequeue(out var i))
        {
            foreach (var from in before[i])
            {
                if (alive[from]) continue;
                alive[from] = true;
                queue.Enqueue(from);
            }
        }
        for (var i = 0; i < found.Count; i++) found[i].IsVoid = !alive[i];
    }

    private Expression Derive(Expression expression, int number)
    {
        if (expression.Kind is not (ExpressionKind.All or ExpressionKind.Not)) return DeriveSteps(expression, number);
        var known = expression.Derivatives ??= new Expression?[classes.Count];
        if (known[number] is { } left) return left;
        left = expression.Kind == ExpressionKind.Not
            ? table.Not(Derive(expression.First, number))
            : table.All([.. expression.Items.Select(item => Derive(item, number))]);
        return known[number] = left;
    }

    private Expression DeriveSteps(Expression expression, int number)
    {
        var value = classes.Sample(number);
        explorer.Explore(expression);
        work += explorer.Steps.Count;
        if (work > WorkLimit) throw new BadInputException("grammar", null, "its intersections and complements need too many steps");
        var left = new List<Expression>();
        foreach (var (head, tail) in explorer.Steps.ToArray())
        {
            if (head.Kind == ExpressionKind.Bytes)
            {
                if (head.Target(value) is { } target) left.Add(table.Sequence(target, tail));
            }
            else left.Add(table.Sequence(Derive(head, number), tail));
        }
        // A choice of choices is one, so that equal remainders are found to be equal.
        var flat = new List<Expression>();
        foreach (var one in left)
        {
            if (one.Kind == ExpressionKind.Choice) flat.AddRange(one.Items);
            else flat.Add(one);
        }
        return table.Choice(flat);
    }
}
