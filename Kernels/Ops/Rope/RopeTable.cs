using System.Diagnostics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>
/// cos and sin of position · frequency[i], i below rotaryDim / 2, times a magnitude; frequency and angle are float32, as every implementation has
/// them. Grows with the positions asked for, by doubling. Used by one thread.
/// </summary>
internal sealed unsafe class RopeTable : IDisposable
{
    private const int FirstPositions = 512;
    private readonly float[] frequencies;
    private readonly int maxPositions;
    private NativeBuffer? rows;  // [positions, 2, Stride]: cos, sin
    private int filled;

    /// <summary>
    /// A table of plain frequencies, theta^(−2i / rotaryDim), for the first <paramref name="rotaryDim"/> (even) dimensions of a head.
    /// </summary>
    public RopeTable(int rotaryDim, double theta, int maxPositions) : this(PlainFrequencies(rotaryDim, theta), 1, maxPositions)
    {
    }

    /// <summary>
    /// A table of any <paramref name="frequencies"/>, one for each two dimensions of a head that are rotated, for at most
    /// <paramref name="maxPositions"/> positions. cos and sin are multiplied with <paramref name="magnitude"/>: what is rotated grows with them.
    /// </summary>
    public RopeTable(float[] frequencies, double magnitude, int maxPositions)
    {
        RotaryDim = 2 * frequencies.Length;
        Stride = (frequencies.Length + 15) & ~15;
        (this.frequencies, Magnitude, this.maxPositions) = (frequencies, magnitude, maxPositions);
    }

    /// <summary>Dimensions of a head that are rotated.</summary>
    public int RotaryDim { get; }

    /// <summary>What cos and sin are multiplied with; 1 for a plain rotation.</summary>
    public double Magnitude { get; }

    /// <summary>Floats from a position's cos to its sin.</summary>
    public int Stride { get; }

    /// <summary>[rotaryDim / 2] radians a position.</summary>
    public ReadOnlySpan<float> Frequencies => frequencies;

    /// <summary>The rows' memory, once a position was reached; another buffer after each growth.</summary>
    public NativeBuffer Rows => rows ?? throw new InvalidOperationException("No position was reached yet.");

    /// <summary>First row; row p at p · 2 · <see cref="Stride"/>. Valid until the next growth.</summary>
    public float* Data => rows is null ? null : (float*)rows.Data;

    /// <summary>Makes sure that <paramref name="position"/> is in the table.</summary>
    public void Reach(int position)
    {
        if (position < filled) return;
        Debug.Assert((uint)position < (uint)maxPositions, "position outside the model's context");

        var positions = (int)Math.Max(position + 1L, Math.Min(maxPositions, Math.Max(FirstPositions, 2L * filled)));
        var grown = new NativeBuffer((long)positions * 2 * Stride * sizeof(float), zeroed: true);
        var row = (float*)grown.Data;
        if (rows is not null) Buffer.MemoryCopy(rows.Data, row, grown.Bytes, (long)filled * 2 * Stride * sizeof(float));
        for (var p = filled; p < positions; p++)
        {
            for (var i = 0; i < frequencies.Length; i++)
            {
                var (sin, cos) = Math.SinCos(p * frequencies[i]);
                row[((long)p * 2 * Stride) + i] = (float)(cos * Magnitude);
                row[((long)p * 2 * Stride) + Stride + i] = (float)(sin * Magnitude);
            }
        }
        rows?.Dispose();
        (rows, filled) = (grown, positions);
    }

    public void Dispose() => rows?.Dispose();

    private static float[] PlainFrequencies(int rotaryDim, double theta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rotaryDim, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rotaryDim % 2, 0, nameof(rotaryDim));
        var frequencies = new float[rotaryDim / 2];
        for (var i = 0; i < frequencies.Length; i++) frequencies[i] = (float)Math.Pow(theta, -2.0 * i / rotaryDim);
        return frequencies;
    }
}
