namespace Quilt.Kernels.Limits;

/// <summary>
/// One link of a chain in registers: the instruction, or the two, by which products are added up. It multiplies what the link before left, so that
/// no compiler can move it out of a loop.
/// </summary>
/// <typeparam name="TVector">The register.</typeparam>
internal interface IChainStep<TVector> where TVector : unmanaged
{
    /// <summary>Operations of a link; a multiplication and an addition are two.</summary>
    static abstract int Operations { get; }

    /// <summary>What every chain begins with and every link multiplies by.</summary>
    static abstract TVector Operand { get; }

    /// <summary>The next link: <paramref name="sum"/> plus products of it and the operand, as numbers of the kind; they may wrap around.</summary>
    static abstract TVector Next(TVector sum, TVector operand);
}
