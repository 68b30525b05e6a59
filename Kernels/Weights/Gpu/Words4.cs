namespace Quilt.Kernels.Weights;

/// <summary>Sixteen bytes, which a GPU loads at once.</summary>
internal struct Words4
{
    public uint A;
    public uint B;
    public uint C;
    public uint D;

    /// <summary>Word <paramref name="i"/> of the four.</summary>
    public readonly uint Get(int i) => i < 2 ? (i == 0 ? A : B) : (i == 2 ? C : D);
}
