namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Makes rules that begin with themselves begin with something else: A = A t | b becomes A = b t*, for groups of rules by elimination (Arden's
/// lemma). Afterwards the rules that a rule can begin with form no circle, and are ordered.
/// </summary>
internal sealed class LeftRecursion
{
    private const int MaxGroup = 48;
    private readonly ExpressionTable table;
    private readonly RegularOperations operations;
    private readonly Explorer explorer;
    private readonly Expression[] rules;
    private readonly int[][] begins;

    private LeftRecursion(ExpressionTable table, Expression[] rules, RegularOperations operations)
    {
        (this.table, this.operations) = (table, operations);
        this.rules = [.. rules];
        explorer = new Explorer(table);
        begins = [.. rules.Select(Begins)];
    }

    /// <summary>Rewrites the rules of a grammar.</summary>
    /// <returns>The rules, and for each its place in an order in which each comes before those that it can begin with.</returns>
    /// <exception cref="BadInputException">Too many rules begin with each other.</exception>
    public static (Expression[] Rules, int[] Order) Remove(ExpressionTable table, Expression[] rules, RegularOperations operations)
    {
        var removal = new LeftRecursion(table, rules, operations);
        foreach (var group in removal.Groups())
            if (group.Count > 1 || removal.begins[group[0]].Contains(group[0])) removal.Eliminate(group);
        for (var i = 0; i < rules.Length; i++) removal.begins[i] = removal.Begins(removal.rules[i]);
        var order = new int[rules.Length];
        var groups = removal.Groups();
        // A group is found after those that it leads to.
        for (var i = 0; i < groups.Count; i++)
        {
            if (groups[i].Count > 1 || removal.begins[groups[i][0]].Contains(groups[i][0]))
                throw new BadInputException("grammar", null, "its rules begin with each other in a way that is not supported");
            order[groups[i][0]] = groups.Count - 1 - i;
        }
        return (removal.rules, order);
    }

    private int[] Begins(Expression rule)
    {
        explorer.Explore(rule);
        return [.. explorer.Calls.Select(call => call.Rule).Distinct()];
    }

    // Rules that can reach each other as beginnings (Tarjan's algorithm, without recursion).
    private List<List<int>> Groups()
    {
        var groups = new List<List<int>>();
        var (index, low) = (new int[rules.Length], new int[rules.Length]);
        var onStack = new bool[rules.Length];
        var stack = new Stack<int>();
        var count = 0;
        for (var root = 0; root < rules.Length; root++)
        {
            if (index[root] != 0) continue;
            var path = new Stack<(int Rule, int Next)>([(root, 0)]);
            while (path.TryPop(out var top))
            {
                var (rule, next) = top;
                if (next == 0)
                {
                    index[rule] = low[rule] = ++count;
                    stack.Push(rule);
                    onStack[rule] = true;
                }
                else if (onStack[begins[rule][next - 1]]) low[rule] = Math.Min(low[rule], low[begins[rule][next - 1]]);
                if (next < begins[rule].Length)
                {
                    path.Push((rule, next + 1));
                    var begin = begins[rule][next];
                    if (index[begin] == 0) path.Push((begin, 0));
                    continue;
                }
                if (low[rule] != index[rule]) continue;
                var group = new List<int>();
                int member;
                do
                {
                    member = stack.Pop();
                    onStack[member] = false;
                    group.Add(member);
                }
                while (member != rule);
                groups.Add(group);
            }
        }
        return groups;
    }

    private void Eliminate(List<int> group)
    {
        if (group.Count > MaxGroup) throw new BadInputException("grammar", null, $"more than {MaxGroup} rules begin with each other");
        var place = new Dictionary<int, int>();
        foreach (var rule in group) place[rule] = place.Count;
        // tails[i][j]: what follows where rule i begins with rule j; starts[i]: its texts that begin with none of the group.
        var tails = new Expression[group.Count, group.Count];
        var starts = new Expression[group.Count];
        for (var i = 0; i < group.Count; i++)
        {
            explorer.Explore(rules[group[i]]);
            var own = explorer.Steps.Select(step => table.Sequence(NotEmpty(step.Head), step.Tail)).ToList();
            var following = Enumerable.Range(0, group.Count).Select(_ => new List<Expression>()).ToArray();
            foreach (var (rule, tail) in explorer.Calls)
            {
                if (place.TryGetValue(rule, out var j)) following[j].Add(tail);
                else own.Add(table.Sequence(table.Call(rule, nullable: false), tail));
            }
            starts[i] = table.Choice(own);
            for (var j = 0; j < group.Count; j++) tails[i, j] = table.Choice(following[j]);
        }
        for (var i = 0; i < group.Count; i++)
        {
            var loop = table.Repeat(tails[i, i], 0, -1);
            starts[i] = table.Sequence(starts[i], loop);
            for (var j = i + 1; j < group.Count; j++) tails[i, j] = table.Sequence(tails[i, j], loop);
            for (var k = i + 1; k < group.Count; k++)
            {
                var through = tails[k, i];
                starts[k] = table.Choice([starts[k], table.Sequence(starts[i], through)]);
                for (var j = i + 1; j < group.Count; j++)
                    tails[k, j] = table.Choice([tails[k, j], table.Sequence(tails[i, j], through)]);
            }
        }
        for (var i = 0; i < group.Count; i++)
        {
            var ways = new List<Expression> { starts[i] };
            for (var j = i + 1; j < group.Count; j++) ways.Add(table.Sequence(table.Call(group[j], nullable: false), tails[i, j]));
            rules[group[i]] = table.Choice(ways);
        }
    }

    // A first part without its empty text, behind which the rule would begin with itself again.
    private Expression NotEmpty(Expression head)
    {
        if (!head.IsNullable) return head;
        var any = table.Bytes([(0, 255, table.Empty)]);
        var rest = table.All([head, table.Repeat(any, 1, -1)]);
        return operations.IsVoid(rest) ? table.Never : rest;
    }
}
