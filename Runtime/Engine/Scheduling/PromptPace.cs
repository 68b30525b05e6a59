using System.Diagnostics;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// How many tokens of prompts a step may have beside replies, so that these are not held up for longer than was asked for. Learns from steps what
/// replies take and what a token of a prompt adds.
/// </summary>
/// <remarks>
/// A token of a prompt costs more in a small part than in a large one (fewer rows share the reading of the weights), so what is learned from parts of
/// about the right size counts most, and a part grows to twice the last one at most.
/// </remarks>
/// <param name="target">How long a step may take; zero: any time.</param>
/// <param name="most">Tokens of the largest step.</param>
internal sealed class PromptPace(TimeSpan target, int most)
{
    /// <summary>Rows of a tile of most kernels: fewer cost the same.</summary>
    private const int Tile = 16;

    private const double Weight = 0.3;
    private readonly int least = Math.Min(Tile, most);
    private double replies = double.NaN;                     // seconds of a step without prompts
    private double token = double.NaN;                       // seconds that a token of a prompt adds
    private int last = Tile / 2;                             // tokens of prompts in the last step that had replies too

    /// <summary>Most tokens of prompts in the next step.</summary>
    /// <param name="beside">Whether replies are part of it.</param>
    public int Tokens(bool beside)
    {
        if (!beside || target == TimeSpan.Zero) return int.MaxValue;
        var fits = double.IsNaN(token) ? least : (target.TotalSeconds - (double.IsNaN(replies) ? 0 : replies)) / token;
        var count = (int)Math.Clamp(Math.Min(fits, 2.0 * last), least, most);
        return count - (count % least);
    }

    /// <summary>Takes note of a step.</summary>
    /// <param name="promptTokens">Tokens of prompts in it.</param>
    /// <param name="replyTokens">Tokens of replies in it.</param>
    /// <param name="time">What it took.</param>
    public void Observe(int promptTokens, int replyTokens, TimeSpan time)
    {
        Debug.Assert(promptTokens + replyTokens > 0, "prompt pace: an empty step");
        if (promptTokens == 0)
        {
            Learn(ref replies, time.TotalSeconds);
            return;
        }
        if (replyTokens > 0) last = promptTokens;
        var alone = replyTokens == 0 || double.IsNaN(replies) ? 0 : replies;
        Learn(ref token, Math.Max(time.TotalSeconds - alone, time.TotalSeconds / 10) / promptTokens);
    }

    private static void Learn(ref double known, double seen) => known = double.IsNaN(known) ? seen : known + (Weight * (seen - known));
}
