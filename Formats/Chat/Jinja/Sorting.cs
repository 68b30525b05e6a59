namespace Quilt.Formats.Chat.Jinja;

/// <summary>sorted(): stable, also backwards; values without an order fail as they do in Python.</summary>
internal static class Sorting
{
    private static readonly Comparer<object?> Order = Comparer<object?>.Create((a, b) => Python.Compare(a, b, "<"));

    public static IEnumerable<T> Stable<T>(IReadOnlyList<T> items, Func<T, object?> key, bool reverse)
    {
        var keyed = items.Select(item => (Key: key(item), Item: item)).ToList();
        // Python compares neighbours first, the later one to the earlier one; doing the same gives its complaint.
        for (var i = 1; i < keyed.Count; i++)
        {
            var (later, earlier) = reverse ? (keyed.Count - 1 - i, keyed.Count - i) : (i, i - 1);
            _ = Python.Compare(keyed[later].Key, keyed[earlier].Key, "<");
        }
        try
        {
            return (reverse ? keyed.OrderByDescending(p => p.Key, Order) : keyed.OrderBy(p => p.Key, Order)).Select(p => p.Item).ToList();
        }
        catch (InvalidOperationException e) when (e.InnerException is JinjaError error)
        {
            throw error;
        }
    }
}
