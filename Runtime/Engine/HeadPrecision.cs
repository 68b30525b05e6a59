namespace Quilt.Runtime;

/// <summary>How the head, the last matrix of a model, is held.</summary>
public enum HeadPrecision
{
    /// <summary>As the checkpoint has it.</summary>
    AsStored,

    /// <summary>
    /// In 8-bit integers with a scale for 32 of them, made at load where it is stored in more: half of bfloat16's bytes, which every token reads, for
    /// a small error. <c>quilt quality MODEL --against MODEL --head 8bit</c> measures it.
    /// </summary>
    EightBit,
}
