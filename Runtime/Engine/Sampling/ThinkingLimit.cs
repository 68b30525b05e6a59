namespace Quilt.Runtime.Sampling;

/// <summary>
/// Ends a reply's thinking once it has had its tokens: the marker that ends thinking is then forced, token by token; what of it the model has just
/// written itself counts. Thinking that begins again behind that is ended at once.
/// </summary>
internal sealed class ThinkingLimit
{
    private int budget = int.MaxValue;
    private int[] end = [];
    private int[] recent = [];                               // the last tokens, as many as the marker has
    private int tokens;
    private int place = -1;                                  // of the marker's token that comes next; −1: none is forced
    private bool isSpent;                                    // the marker was forced and thinking still goes on: it is not forced again
    private bool isOpen;

    /// <summary>The token that has to come next; −1 where any may.</summary>
    public int Forced => place < 0 ? -1 : end[place];

    /// <summary>Whether the next token will be one of thinking; to be kept up to date by whoever reads the reply.</summary>
    public bool IsOpen
    {
        get => isOpen;
        set
        {
            isOpen = value;
            if (!isOpen) (place, isSpent) = (-1, false);
            Watch();
        }
    }

    /// <summary>Forgets what was and starts a request.</summary>
    /// <param name="budget">Most tokens of thinking; null or −1: any number.</param>
    /// <param name="end">The tokens that end thinking; none: it cannot be ended.</param>
    /// <param name="isOpen">Whether the prompt ends inside thinking.</param>
    public void Begin(int? budget, IReadOnlyList<int> end, bool isOpen)
    {
        this.budget = budget is >= 0 and var most && end.Count > 0 ? most : int.MaxValue;
        (this.end, tokens, place, isSpent) = (this.budget == int.MaxValue ? [] : [.. end], 0, -1, false);
        if (recent.Length != this.end.Length) recent = new int[this.end.Length];
        Array.Fill(recent, -1);
        IsOpen = isOpen;
    }

    /// <summary>Takes note of a chosen token.</summary>
    public void Accept(int token)
    {
        if (end.Length == 0) return;
        Array.Copy(recent, 1, recent, 0, recent.Length - 1);
        recent[^1] = token;
        if (place >= 0)
        {
            if (++place == end.Length) (place, isSpent) = (-1, true);
            return;
        }
        if (!isOpen) return;
        tokens++;
        Watch();
    }

    private void Watch()
    {
        if (isOpen && place < 0 && !isSpent && tokens >= budget) place = Written();
    }

    /// <summary>How many tokens of the marker, not all, the output ends in.</summary>
    private int Written()
    {
        for (var count = end.Length - 1; count > 0; count--)
        {
            if (recent.AsSpan(recent.Length - count).SequenceEqual(end.AsSpan(0, count))) return count;
        }
        return 0;
    }
}
