namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Finds any of several texts in a stream with one step a character, however many and however long they are (Aho and Corasick, Efficient string
/// matching, 1975). A state stands for the longest beginning of a text that the stream ends in; state 0 for none.
/// </summary>
internal sealed class StopAutomaton
{
    private readonly Dictionary<(int State, char Next), int> steps = [];
    private readonly List<int> depths = [0];
    private readonly List<int> shorter = [0];                // the longest end of a state's text that is a beginning too
    private readonly List<string?> found = [null];           // the longest text that a state's text ends in

    public StopAutomaton(IReadOnlyList<string> texts)
    {
        foreach (var text in texts)
        {
            var state = 0;
            foreach (var c in text)
            {
                if (!steps.TryGetValue((state, c), out var next))
                {
                    next = depths.Count;
                    steps[(state, c)] = next;
                    depths.Add(depths[state] + 1);
                    shorter.Add(0);
                    found.Add(null);
                }
                state = next;
            }
            found[state] = text;
        }
        // Shallow states first: a state's shorter one is among them.
        foreach (var ((from, c), to) in steps.OrderBy(step => depths[step.Value]))
        {
            if (from != 0) shorter[to] = Next(shorter[from], c);
            found[to] ??= found[shorter[to]];
        }
    }

    /// <summary>The state after one more character.</summary>
    public int Next(int state, char c)
    {
        while (true)
        {
            if (steps.TryGetValue((state, c), out var next)) return next;
            if (state == 0) return 0;
            state = shorter[state];
        }
    }

    /// <summary>Characters of a beginning that a state stands for.</summary>
    public int Depth(int state) => depths[state];

    /// <summary>The longest text that the stream ends in; null if it ends in none.</summary>
    public string? StopAt(int state) => found[state];
}
