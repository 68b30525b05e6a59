using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>The tensors of a checkpoint, found by what they are, whatever the files call them, and their bytes.</summary>
internal sealed class TensorTable
{
    private readonly Dictionary<string, TensorEntry> byMeaning;
    private readonly ReadBytes read;

    /// <param name="modelType">Name of the architecture.</param>
    /// <param name="found">Tensors as the files have them.</param>
    /// <param name="read">What reads their bytes.</param>
    /// <exception cref="BadInputException">Two tensors mean the same, or fused ones are of a form that is not understood.</exception>
    public TensorTable(string modelType, IReadOnlyCollection<TensorEntry> found, ReadBytes read)
    {
        this.read = read;
        byMeaning = new Dictionary<string, TensorEntry>(found.Count, StringComparer.Ordinal);
        foreach (var entry in found)
        {
            foreach (var part in entry.Tiles is null ? FusedExperts.Split(modelType, entry) : [entry])
            {
                var meaning = TensorNames.Meaning(part.Part ?? part.Name);
                if (!byMeaning.TryAdd(meaning, part))
                    throw new BadInputException(entry.File, entry.Name,
                        $"is the same tensor under another name as {byMeaning[meaning].Label}; expected one of them");
            }
        }
    }

    /// <summary>Fills <paramref name="into"/> with bytes of a tensor, from byte <paramref name="start"/> of it.</summary>
    /// <exception cref="BadInputException">The file has become shorter, or the disk failed.</exception>
    public delegate void ReadBytes(TensorEntry tensor, Span<byte> into, long start);

    /// <summary>All of them; fused ones in their parts.</summary>
    public IReadOnlyCollection<TensorEntry> All => byMeaning.Values;

    /// <summary>A tensor by any of its names; null where there is none.</summary>
    public TensorEntry? Find(string name) => byMeaning.GetValueOrDefault(TensorNames.Meaning(name));

    /// <inheritdoc cref="ReadBytes"/>
    public void Read(TensorEntry tensor, Span<byte> into, long start = 0) => read(tensor, into, start);
}
