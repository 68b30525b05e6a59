using System.Diagnostics;

namespace Quilt.Kernels.Limits;

/// <summary>A rate found in several short passes, in 10^9 bytes or operations a second.</summary>
/// <param name="Best">
/// The fastest pass: what the machine can do. A pass is a few milliseconds long, so that on a machine with other work some are left alone; one
/// long pass would measure the neighbours too.
/// </param>
/// <param name="Median">The pass in the middle: what this machine gives now.</param>
internal readonly record struct Speed(double Best, double Median)
{
    /// <summary>Of a machine that cannot do it.</summary>
    public static Speed None => new(double.NaN, double.NaN);

    /// <summary>Runs <paramref name="pass"/> (which pass) so many times; each does <paramref name="amount"/> bytes or operations.</summary>
    public static Speed Of(int passes, double amount, Action<int> pass)
    {
        var rates = new double[passes];
        for (var i = 0; i < passes; i++)
        {
            var start = Stopwatch.GetTimestamp();
            pass(i);
            rates[i] = amount / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
        }
        Array.Sort(rates);
        return new(rates[^1], rates[passes / 2]);
    }
}
