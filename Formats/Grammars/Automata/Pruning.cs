namespace Quilt.Formats.Grammars.Automata;

/// <summary>Takes away from a grammar what no finite text goes through, so that whatever is still possible can be completed.</summary>
internal static class Pruning
{
    /// <summary>The grammar without it; its root is Never where no text belongs to it.</summary>
    /// <exception cref="BadInputException">An intersection or complement needs too many states.</exception>
    public static BuiltGrammar Prune(BuiltGrammar grammar, ExpressionTable table, RegularOperations operations)
    {
        var reached = Reach(grammar);
        foreach (var one in reached)
            if (one.Kind is ExpressionKind.All or ExpressionKind.Not && one.IsVoid is null) operations.Explore(one);
        var alive = FindAlive(grammar, reached);
        if (reached.TrueForAll(alive.Contains)) return grammar;
        var rewritten = new Dictionary<Expression, Expression>();
        foreach (var one in reached) rewritten[one] = alive.Contains(one) ? Rewrite(one) : table.Never;
        return grammar with
        {
            Root = rewritten[grammar.Root],
            Rules = [.. grammar.Rules.Select(rule => rewritten.GetValueOrDefault(rule, table.Never))],
        };

        Expression Rewrite(Expression one) => one.Kind switch
        {
            ExpressionKind.Sequence => table.Sequence(rewritten[one.First], rewritten[one.Second]),
            ExpressionKind.Choice => table.Choice([.. one.Items.Select(item => rewritten[item])]),
            ExpressionKind.Repeat => table.Repeat(rewritten[one.First], one.Least, one.Most),
            _ => one,
        };
    }

    // By ascending id: parts come before what is made of them.
    private static List<Expression> Reach(BuiltGrammar grammar)
    {
        var seen = new HashSet<Expression>();
        var pending = new Stack<Expression>([grammar.Root]);
        while (pending.TryPop(out var one))
        {
            if (!seen.Add(one)) continue;
            foreach (var part in Parts(grammar, one)) pending.Push(part);
        }
        return [.. seen.OrderBy(one => one.Id)];
    }

    private static IEnumerable<Expression> Parts(BuiltGrammar grammar, Expression one) => one.Kind switch
    {
        ExpressionKind.Sequence => [one.First, one.Second],
        ExpressionKind.Repeat => [one.First],
        ExpressionKind.Choice => one.Items,
        ExpressionKind.Call => [grammar.Rules[one.Least]],
        _ => [],
    };

    private static HashSet<Expression> FindAlive(BuiltGrammar grammar, List<Expression> reached)
    {
        var users = new Dictionary<Expression, List<Expression>>();
        foreach (var one in reached)
        {
            foreach (var part in Parts(grammar, one))
            {
                if (!users.TryGetValue(part, out var its)) users[part] = its = [];
                its.Add(one);
            }
        }
        var alive = new HashSet<Expression>();
        var queue = new Queue<Expression>(reached);
        while (queue.TryDequeue(out var one))
        {
            if (alive.Contains(one) || !Judge(one)) continue;
            alive.Add(one);
            foreach (var user in users.GetValueOrDefault(one) ?? []) queue.Enqueue(user);
        }
        return alive;

        bool Judge(Expression one) => one.Kind switch
        {
            ExpressionKind.Never => false,
            ExpressionKind.Sequence => alive.Contains(one.First) && alive.Contains(one.Second),
            ExpressionKind.Repeat => one.Least == 0 || alive.Contains(one.First),
            ExpressionKind.Choice => Array.Exists(one.Items, alive.Contains),
            ExpressionKind.Call => alive.Contains(grammar.Rules[one.Least]),
            ExpressionKind.All or ExpressionKind.Not => one.IsVoid != true,
            _ => true,
        };
    }
}
