using Quilt.Kernels.Devices;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>Where several devices that run one step meet: what each has to add, and memory of the host for what comes of it.</summary>
internal sealed unsafe class DeviceExchange(LockStep threads) : IDisposable
{
    private NativeBuffer? result;
    private int[] owner = [];

    /// <summary>[devices] what each of them has put up, in the host's memory.</summary>
    public float*[] Places { get; } = new float*[threads.Count];

    /// <summary>[tokens] the device that has a token's row of the embedding.</summary>
    public ReadOnlySpan<int> Owner => owner;

    /// <summary>Makes room and finds the tokens' owners; while no device runs.</summary>
    /// <param name="floats">Most of a sum, or of the logits.</param>
    /// <param name="tokens">The step's tokens.</param>
    /// <param name="vocabulary">Each device's part of the vocabulary.</param>
    public void Begin(long floats, ReadOnlySpan<int> tokens, Part[] vocabulary)
    {
        if (result is null || result.Bytes < floats * sizeof(float))
        {
            result?.Dispose();
            result = new NativeBuffer(floats * sizeof(float));
        }
        if (owner.Length < tokens.Length) owner = new int[Math.Max(tokens.Length, 2 * owner.Length)];
        for (var t = 0; t < tokens.Length; t++)
        {
            owner[t] = 0;
            while (!vocabulary[owner[t]].Has(tokens[t])) owner[t]++;
        }
    }

    /// <summary>Memory for what comes of a sum; one at a time.</summary>
    public Matrix Result(int rows, int columns) => new((float*)result!.Data, rows, columns);

    /// <inheritdoc cref="LockStep.Meet"/>
    public void Meet(int index) => threads.Meet(index);

    public void Dispose() => result?.Dispose();
}
