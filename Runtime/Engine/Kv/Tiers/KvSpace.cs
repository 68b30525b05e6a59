using System.Security.Cryptography;
using System.Text;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Which blocks may stand for each other: those of one space. Its digest is over all that the bits of keys and values depend on beside the tokens:
/// the model (<see cref="ModelDigest"/>), the form of an image (<see cref="KvImage"/>), how inputs are rounded, the instruction set, and the very
/// build of the kernels and the engine. With it a <see cref="BlockHash"/>, which has salt and tenant in it, names an image for all machines and for
/// good.
/// </summary>
/// <param name="Digest">32 bytes.</param>
/// <param name="ImageBytes">Bytes of an image.</param>
internal sealed record KvSpace(BlockHash Digest, int ImageBytes)
{
    /// <summary>The digest as a name, 64 digits.</summary>
    public string Name => Digest.ToString();

    /// <summary>The space of an engine's blocks.</summary>
    /// <param name="model">The model's digest.</param>
    /// <param name="spec">Its layers.</param>
    /// <param name="layout">How keys and values are kept.</param>
    /// <param name="options">How inputs are rounded.</param>
    /// <param name="device">Where they are computed.</param>
    /// <param name="imageBytes">Bytes of an image.</param>
    public static KvSpace Of(byte[] model, DecoderSpec spec, KvLayout layout, EngineOptions options, Device device, int imageBytes)
    {
        var isa = device is CpuDevice cpu ? cpu.Isa.ToString() : device.Name;
        var text = FormattableString.Invariant(
            $"""
            quilt-kv 1
            model {Convert.ToHexStringLower(model)}
            image {spec.Layers} {spec.Attention.KeyValueHeads} {spec.Attention.HeadDim} {layout.BlockTokens} {layout.Type} {imageBytes}
            steps {options.Activations} {isa}
            build {Build(typeof(Device))} {Build(typeof(KvSpace))}
            """);
        return new(BlockHash.From(SHA256.HashData(Encoding.UTF8.GetBytes(text))), imageBytes);
    }

    // Another build may sum in another order; who moves to it starts with an empty cache.
    private static Guid Build(Type type) => type.Module.ModuleVersionId;
}
