namespace Quilt.Formats.Grammars.Automata;

/// <summary>
/// Finds with what the texts of an expression begin, the empty one aside: the first part, and what follows it. Its lists are used again.
/// </summary>
internal sealed class Explorer(ExpressionTable table)
{
    private readonly Stack<(Expression What, Expression Tail)> pending = [];
    private readonly HashSet<long> seen = [];

    /// <summary>Bytes, regular operations and special tokens that come first, and what follows each.</summary>
    public List<(Expression Head, Expression Tail)> Steps { get; } = [];

    /// <summary>Calls that come first, without their empty texts, and what follows each.</summary>
    public List<(int Rule, Expression Tail)> Calls { get; } = [];

    public void Explore(Expression expression)
    {
        Steps.Clear();
        Calls.Clear();
        seen.Clear();
        pending.Push((expression, table.Empty));
        while (pending.TryPop(out var next))
        {
            var (what, tail) = next;
            switch (what.Kind)
            {
                case ExpressionKind.Sequence:
                    pending.Push((what.First, table.Sequence(what.Second, tail)));
                    if (what.First.IsNullable) pending.Push((what.Second, tail));
                    break;
                case ExpressionKind.Choice:
                    if (!seen.Add((long)what.Id << 32 | (uint)tail.Id)) break;
                    foreach (var item in what.Items) pending.Push((item, tail));
                    break;
                case ExpressionKind.Repeat:
                    if (!seen.Add((long)what.Id << 32 | (uint)tail.Id)) break;
                    var rest = table.Repeat(what.First, Math.Max(0, what.Least - 1), what.Most < 0 ? -1 : what.Most - 1);
                    pending.Push((what.First, table.Sequence(rest, tail)));
                    break;
                case ExpressionKind.Call:
                    Calls.Add((what.Least, tail));
                    break;
                case ExpressionKind.Bytes or ExpressionKind.All or ExpressionKind.Not or ExpressionKind.Special:
                    Steps.Add((what, tail));
                    break;
            }
        }
    }
}
