namespace Quilt.Formats.Chat.Jinja;

/// <summary>range(start, stop, step), at most 100,000 numbers as the sandbox has it.</summary>
internal sealed class JinjaRange(long start, long stop, long step, int count)
{
    public int Count { get; } = count;

    public object? this[int index] => start + (step * index);

    public IReadOnlyList<object?> Items
    {
        get
        {
            var items = new object?[Count];
            for (var i = 0; i < items.Length; i++) items[i] = this[i];
            return items;
        }
    }

    /// <summary>Every <paramref name="by"/>th of the numbers from one place to another, that one left out: a range again.</summary>
    public JinjaRange Slice(long from, long to, long by) => new(
        start + (step * from), start + (step * to), step * by, (int)Math.Max(0, by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by));

    public override string ToString() => step == 1 ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})";
}
