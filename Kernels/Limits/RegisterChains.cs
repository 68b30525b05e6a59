using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>
/// Twelve chains side by side that touch no memory. Two links a cycle of up to six cycles each are under way at once, and with the operand and a
/// register for what is between two instructions they fit the sixteen of AVX2.
/// </summary>
/// <param name="results">At least <see cref="ResultBytes"/> for what the chains become; all items write to the same place.</param>
/// <param name="rounds">Links of each chain in an item.</param>
internal readonly unsafe struct RegisterChains<TVector, TStep>(NativeBuffer results, int rounds) : IJob
    where TVector : unmanaged
    where TStep : IChainStep<TVector>
{
    /// <summary>Chains of an item.</summary>
    public const int Chains = 12;

    /// <summary>Room for the widest register a chain.</summary>
    public const int ResultBytes = Chains * 64;

    public void Execute(int item) => Run((TVector*)results.Data, rounds);

    // A method of its own, optimized from the first call on: the chains have the registers, and nothing else wants one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run(TVector* results, int rounds)
    {
        var operand = TStep.Operand;
        var (a, b, c, d) = (operand, operand, operand, operand);
        var (e, f, g, h) = (operand, operand, operand, operand);
        var (i, j, k, l) = (operand, operand, operand, operand);
        for (var round = 0; round < rounds; round++)
        {
            a = TStep.Next(a, operand);
            b = TStep.Next(b, operand);
            c = TStep.Next(c, operand);
            d = TStep.Next(d, operand);
            e = TStep.Next(e, operand);
            f = TStep.Next(f, operand);
            g = TStep.Next(g, operand);
            h = TStep.Next(h, operand);
            i = TStep.Next(i, operand);
            j = TStep.Next(j, operand);
            k = TStep.Next(k, operand);
            l = TStep.Next(l, operand);
        }
        (results[0], results[1], results[2], results[3]) = (a, b, c, d);
        (results[4], results[5], results[6], results[7]) = (e, f, g, h);
        (results[8], results[9], results[10], results[11]) = (i, j, k, l);
    }
}
