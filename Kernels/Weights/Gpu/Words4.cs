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

    /// <summary>Puts bits into word <paramref name="i"/>.</summary>
    public void Or(int i, uint bits)
    {
        switch (i)
        {
            case 0: A |= bits; break;
            case 1: B |= bits; break;
            case 2: C |= bits; break;
            default: D |= bits; break;
        }
    }
}
