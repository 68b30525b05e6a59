namespace Quilt.Formats.Checkpoints;

/// <summary>Complaints that do not keep a checkpoint from loading; the same complaint about many modules is one line with a count.</summary>
internal sealed class WarningList
{
    private readonly Dictionary<string, (string First, int Count)> byProblem = new(StringComparer.Ordinal);
    private readonly List<string> order = [];

    /// <summary>Adds a complaint about one thing.</summary>
    public void Add(string about, string problem)
    {
        lock (byProblem)
        {
            if (byProblem.TryGetValue(problem, out var known))
            {
                byProblem[problem] = (known.First, known.Count + 1);
                return;
            }
            byProblem.Add(problem, (about, 1));
            order.Add(problem);
        }
    }

    /// <summary>All complaints, in the order they were first made.</summary>
    public IReadOnlyList<string> ToLines()
    {
        lock (byProblem)
        {
            return [.. order.Select(problem => byProblem[problem] is var (first, count) && count == 1
                ? $"{first}: {problem}"
                : $"{first} and {count - 1} more: {problem}")];
        }
    }
}
