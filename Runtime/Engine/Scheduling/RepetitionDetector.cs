using System.Numerics;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Finds an output that runs in circles. For each pattern size it counts how many tokens in a row are what stood that many tokens before; all counts
/// take one pass of vectors a token. An output repeats a pattern of n tokens c times when n · (c − 1) tokens in a row do that.
/// </summary>
internal sealed class RepetitionDetector
{
    private readonly int[] runs;                             // [size − 1] tokens in a row that are what stood so many before
    private readonly int[] limits;                           // [size − 1] how many of those end the output
    private readonly int[] recent;                           // the last tokens, newest first from `newest` on; twice, so that they never wrap
    private readonly int window;
    private int newest;

    public RepetitionDetector(RepetitionGuard guard)
    {
        window = (guard.MaxPatternSize + Vector<int>.Count - 1) / Vector<int>.Count * Vector<int>.Count;
        (runs, limits, recent) = (new int[window], new int[window], new int[2 * window]);
        Array.Fill(recent, -1);
        for (var i = 0; i < window; i++)
        {
            var size = i + 1;
            var isWatched = size >= guard.MinPatternSize && size <= guard.MaxPatternSize;
            limits[i] = isWatched ? (int)Math.Min(int.MaxValue, (long)size * (guard.MinCount - 1)) : int.MaxValue;
        }
    }

    /// <summary>Takes a token; true if the output repeats itself now.</summary>
    public bool Accept(int token)
    {
        var (sought, found) = (Vector.Create(token), Vector<int>.Zero);
        for (var i = 0; i < window; i += Vector<int>.Count)
        {
            // Where it is the same, all bits are one: minus one.
            var isSame = Vector.Equals(new Vector<int>(recent, newest + i), sought);
            var run = (new Vector<int>(runs, i) - isSame) & isSame;
            run.CopyTo(runs, i);
            found |= Vector.GreaterThanOrEqual(run, new Vector<int>(limits, i));
        }
        newest = (newest == 0 ? window : newest) - 1;
        recent[newest] = recent[newest + window] = token;
        return found != Vector<int>.Zero;
    }
}
