using System.Numerics;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// Finds a place in the order of values without sorting them: parts of them are looked through again, in expectation all of them twice. Where the
/// parts do not become smaller fast enough what is left is sorted, so that no values take long.
/// </summary>
internal static class Selection
{
    // Parts below this size are sorted at once.
    private const int Small = 32;

    /// <summary>The k-th largest value. The order of the values is lost.</summary>
    public static float KthLargest(Span<float> values, int k)
    {
        var rounds = Rounds(values.Length);
        while (values.Length > Small && rounds-- > 0)
        {
            var pivot = MiddleOf(values[0], values[values.Length / 2], values[^1]);
            var (less, upTo) = Split(values, pivot);
            if (k <= values.Length - upTo) values = values[upTo..];
            else if (k <= values.Length - less) return pivot;
            else
            {
                k -= values.Length - less;
                values = values[..less];
            }
        }
        values.Sort();
        return values[^k];
    }

    /// <summary>
    /// The least weights go while their sum is at most <paramref name="budget"/>. Finds the weight at which that ends, and how many weights of just
    /// that size stay, at least one. The order of the weights is lost.
    /// </summary>
    /// <param name="weights">At least one; none negative.</param>
    /// <param name="gone">Sum of what has gone already.</param>
    /// <param name="budget">What may go.</param>
    public static (double Threshold, int Ties) CutBelow(Span<double> weights, double gone, double budget)
    {
        var rounds = Rounds(weights.Length);
        while (true)
        {
            if (weights.Length <= Small || rounds-- == 0) return CutSorted(weights, gone, budget);
            var pivot = MiddleOf(weights[0], weights[weights.Length / 2], weights[^1]);
            var (less, upTo) = Split(weights, pivot);
            var sum = gone;
            foreach (var weight in weights[..less]) sum += weight;
            if (sum > budget)
            {
                weights = weights[..less];
                continue;
            }
            var equals = upTo - less;
            var going = Fitting(pivot, equals, ref sum, budget);
            // The largest stay, whatever the budget.
            if (going < equals || upTo == weights.Length) return (pivot, Math.Max(1, equals - going));
            gone = sum;
            weights = weights[upTo..];
        }
    }

    private static (double Threshold, int Ties) CutSorted(Span<double> weights, double gone, double budget)
    {
        weights.Sort();
        var cut = 0;
        while (cut < weights.Length - 1 && gone + weights[cut] <= budget) gone += weights[cut++];
        var equals = 0;
        for (var i = cut; i < weights.Length && weights[i] == weights[cut]; i++) equals++;
        return (weights[cut], equals);
    }

    private static int Fitting(double weight, int count, ref double sum, double budget)
    {
        var fitting = 0;
        while (fitting < count && sum + weight <= budget)
        {
            sum += weight;
            fitting++;
        }
        return fitting;
    }

    /// <summary>Values less than the pivot in front, then those equal to it; where each of the two ends.</summary>
    private static (int Less, int UpTo) Split<T>(Span<T> values, T pivot) where T : IComparisonOperators<T, T, bool>
    {
        var (less, i, greater) = (0, 0, values.Length);
        while (i < greater)
        {
            var value = values[i];
            if (value < pivot)
            {
                (values[i], values[less]) = (values[less], value);
                less++;
                i++;
            }
            else if (value > pivot)
            {
                greater--;
                (values[i], values[greater]) = (values[greater], value);
            }
            else
            {
                i++;
            }
        }
        return (less, greater);
    }

    private static T MiddleOf<T>(T a, T b, T c) where T : INumber<T> => T.Max(T.Min(a, b), T.Min(T.Max(a, b), c));

    private static int Rounds(int count) => 16 + (2 * BitOperations.Log2((uint)count + 1));
}
