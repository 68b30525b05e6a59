namespace Quilt.Formats.Chat.Jinja;

/// <summary>sorted(): stable, also backwards; values without an order fail as they do in Python.</summary>
internal static class Sorting
{
    private static readonly Comparer<object?> Strict = Comparer<object?>.Create((a, b) => Python.Compare(a, b, "<"));
    private static readonly Comparer<object?> Lenient = Comparer<object?>.Create((a, b) => a is Undefined && b is Undefined
        ? 0
        : Python.Compare(a, b, "<"));

    /// <param name="items">What to sort.</param>
    /// <param name="key">By what.</param>
    /// <param name="reverse">Largest first.</param>
    /// <param name="missingAreEqual">Whether two missing keys are equal: the filter sort wraps its keys in lists, and lists first ask whether their
    /// elements are equal.</param>
    public static IEnumerable<T> Stable<T>(IReadOnlyList<T> items, Func<T, object?> key, bool reverse, bool missingAreEqual = false)
    {
        var order = missingAreEqual ? Lenient : Strict;
        var keyed = items.Select(item => (Key: key(item), Item: item)).ToList();
        // Python compares neighbours first, the later one to the earlier one; doing the same gives its complaint.
        for (var i = 1; i < keyed.Count; i++)
        {
            var (later, earlier) = reverse ? (keyed.Count - 1 - i, keyed.Count - i) : (i, i - 1);
            _ = order.Compare(keyed[later].Key, keyed[earlier].Key);
        }
        try
        {
            return (reverse ? keyed.OrderByDescending(p => p.Key, order) : keyed.OrderBy(p => p.Key, order)).Select(p => p.Item).ToList();
        }
        catch (InvalidOperationException e) when (e.InnerException is JinjaError error)
        {
            throw error;
        }
    }
}
