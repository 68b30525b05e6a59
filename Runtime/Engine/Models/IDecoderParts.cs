using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>Where a decoder's weights come from: a checkpoint, or, for measuring, chance.</summary>
internal interface IDecoderParts
{
    /// <summary>A linear module, or a stack of them, of one shape, on the device.</summary>
    Weight Weight(ModuleShape[] stack);

    /// <summary>Bytes that <see cref="Weight"/> will take; nothing is read but headers.</summary>
    long Bytes(ModuleShape[] stack);

    /// <summary>Whether weights are memory of files: shared with other processes, and the system's to drop and bring back.</summary>
    bool AreMapped => false;

    /// <summary>Fills in a norm's gains or a bias.</summary>
    void Fill(VectorShape vector, Span<float> into);

    /// <summary>The scales that a layer's keys and values have in FP8; null: one each.</summary>
    KvScales? CacheScales(int layer) => null;

    /// <summary>Whether the embedding serves as the head too.</summary>
    bool HeadIsEmbedding(ModuleShape head);

    /// <summary>Nothing more will be asked for.</summary>
    void Finish();
}
