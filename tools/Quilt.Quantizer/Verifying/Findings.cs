namespace Quilt.Quantizer.Verifying;

/// <summary>What a check finds on its way; may be added to from several threads.</summary>
internal sealed class Findings
{
    private const int Told = 3;
    private readonly Lock gate = new();
    private readonly SortedDictionary<(CheckStatus Status, string About), string> problems =
        new(Comparer<(CheckStatus Status, string About)>.Create(static (a, b) =>
            a.Status != b.Status ? b.Status.CompareTo(a.Status) : string.CompareOrdinal(a.About, b.About)));

    /// <summary>Something is wrong; <paramref name="problem"/> says what was expected and what found.</summary>
    public void Fail(string about, string problem) => Add(CheckStatus.Fail, about, problem);

    /// <summary>Something is unusual.</summary>
    public void Warn(string about, string problem) => Add(CheckStatus.Warn, about, problem);

    /// <summary>The result: the worst problems in words and how many more there are, or <paramref name="fine"/> where there are none.</summary>
    public CheckResult Conclude(Check check, string fine)
    {
        lock (gate)
        {
            if (problems.Count == 0) return new CheckResult(check.Id, check.Name, CheckStatus.Ok, fine);
            var words = string.Join("; ", problems.Take(Told).Select(problem => $"{problem.Key.About}: {problem.Value}"));
            return new CheckResult(check.Id, check.Name, problems.First().Key.Status,
                problems.Count > Told ? $"{words}; and {problems.Count - Told} more" : words);
        }
    }

    private void Add(CheckStatus status, string about, string problem)
    {
        lock (gate) problems.TryAdd((status, about), problem);
    }
}
