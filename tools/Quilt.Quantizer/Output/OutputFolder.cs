using Quilt.Formats;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>
/// The folder of a result, which appears whole or not at all. Until then all work is in <c>OUT.partial</c>, and starting again goes on there.
/// </summary>
internal sealed class OutputFolder : IDisposable
{
    /// <summary>Bytes of a shard, at most, where its tensors are not larger.</summary>
    public const long ShardBytes = 5_000_000_000;

    /// <summary>For the caller's own files; they last until the result is whole.</summary>
    public string WorkFolder => throw new NotImplementedException();

    /// <summary>Begins, or goes on.</summary>
    /// <param name="path">The result's folder, which must not exist or be empty.</param>
    /// <param name="parts">All that it will hold, in the order of the model.</param>
    /// <param name="fingerprint">What it is made of.</param>
    /// <param name="workBytes">Room that <see cref="WorkFolder"/> will take.</param>
    /// <param name="shardBytes">Bytes of a shard, at most, where its tensors are not larger.</param>
    /// <exception cref="BadInputException">
    /// Something is in the way; what was begun there is something else; another process is at work; the disk has not the room.
    /// </exception>
    public static OutputFolder Open(string path, IReadOnlyList<OutputPart> parts, Fingerprint fingerprint, long workBytes = 0,
        long shardBytes = ShardBytes) => throw new NotImplementedException();

    /// <summary>Whether a part was written, now or by an earlier run.</summary>
    public bool HasPart(string name) => throw new NotImplementedException();

    /// <summary>Writes a part; a shard whose parts are all there is put together.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tensors">All of its tensors, in any order.</param>
    /// <param name="cancel">Stops; nothing of the part is then there.</param>
    public void WritePart(string name, IReadOnlyList<TensorToWrite> tensors, CancellationToken cancel = default) => throw new NotImplementedException();

    /// <summary>Puts the settings beside the weights and gives the folder its name. All parts must be there.</summary>
    /// <param name="source">The folder whose other files come along: tokenizer, template, defaults, texts.</param>
    /// <param name="config">config.json.</param>
    /// <param name="recipe">recipe.yaml; null: none.</param>
    /// <param name="cancel">Stops.</param>
    public void Finish(string source, byte[] config, string? recipe, CancellationToken cancel = default) => throw new NotImplementedException();

    /// <summary>Leaves what is not finished where it is.</summary>
    public void Dispose()
    {
    }
}
