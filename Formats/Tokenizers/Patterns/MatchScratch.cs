namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>
/// The memory of a matcher, reused from match to match, and its patience: a pattern of a hostile file may need exponentially many steps,
/// so a text gets a number of them in proportion to its length and then the match is given up.
/// </summary>
internal sealed class MatchScratch
{
    private const long BaseAllowance = 1L << 26;
    private const long AllowancePerByte = 256;
    private const int DepthLimit = 1 << 24;
    private (int Target, int At, int Least, ulong Mask)[] stack = new (int, int, int, ulong)[64];
    private long allowance;

    public int Depth { get; private set; }

    /// <summary>Steps taken since <see cref="Reset"/>: what tests of linearity compare.</summary>
    public long Steps { get; private set; }

    public void Reset()
    {
        Steps = 0;
        Depth = 0;
        allowance = BaseAllowance;
    }

    /// <summary>Grants the steps for a text of so many bytes.</summary>
    public void Allow(int bytes) => allowance += bytes * AllowancePerByte;

    /// <exception cref="PatternTooSlowException">The allowance is used up.</exception>
    public void Step(int count)
    {
        Steps += count;
        if (Steps > allowance) throw new PatternTooSlowException();
    }

    public void Push(int target, int at, int least, ulong mask)
    {
        if (Depth == stack.Length)
        {
            if (Depth >= DepthLimit) throw new PatternTooSlowException();
            Array.Resize(ref stack, Depth * 2);
        }
        stack[Depth++] = (target, at, least, mask);
    }

    public (int Target, int At, int Least, ulong Mask) Pop() => stack[--Depth];

    /// <summary>Forgets every way not tried above <paramref name="depth"/>.</summary>
    public void Drop(int depth) => Depth = depth;
}

/// <summary>A pattern needed too many steps on a text. Never leaves the tokenizer: it becomes a <see cref="BadInputException"/>.</summary>
internal sealed class PatternTooSlowException : Exception;
