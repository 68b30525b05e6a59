using System.Text;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;

namespace Quilt.Quantizer.Quality;

/// <summary>What two models are compared on: a text, or tokens.</summary>
internal sealed class QualityInput
{
    // A longer text is cut: beginnings are as much in use as what stands far behind them, and the work grows with the square of the length.
    private const int SampleTokens = 2048;
    private const int MostBytes = 256 << 20;
    private readonly string source;
    private readonly string? text;
    private readonly IReadOnlyList<int[]>? tokens;

    private readonly int maxTokens;

    private QualityInput(string source, string? text, IReadOnlyList<int[]>? tokens, int? maxTokens) =>
        (this.source, this.text, this.tokens, this.maxTokens) = (source, text, tokens, maxTokens ?? int.MaxValue);

    /// <summary>The text that comes with the library: some prose, code, and several languages.</summary>
    /// <param name="maxTokens">Most tokens to take, the first ones; null: all.</param>
    public static QualityInput Default(int? maxTokens = null) => new("the built-in text", DefaultText.Text, null, maxTokens);

    /// <summary>A text file in UTF-8.</summary>
    /// <exception cref="BadInputException">It cannot be read, is no UTF-8, is empty, or is larger than 256 MiB.</exception>
    public static QualityInput FromText(string path, int? maxTokens = null)
    {
        var text = Encoding.UTF8.GetString(JsonText.ReadBytes(path, MostBytes));
        if (text.Length == 0) throw new BadInputException(path, null, "expected a text, found nothing");
        return new(path, text, null, maxTokens);
    }

    /// <summary>A file <c>{"samples": [[ids], …]}</c>; each sample is read as it is.</summary>
    /// <exception cref="BadInputException">It cannot be read or is not that.</exception>
    public static QualityInput FromTokens(string path, int? maxTokens = null) =>
        new(path, null, TokenSamples.Read(path), maxTokens);

    /// <summary>Token ids in memory.</summary>
    public static QualityInput FromTokens(IReadOnlyList<int[]> samples) => new("tokens", null, samples, null);

    /// <summary>The tokens of each sample: of a text by the official model's tokenizer, cut into samples of at most 2,048.</summary>
    /// <param name="official">The official model.</param>
    /// <param name="longest">Most tokens that both models take.</param>
    /// <exception cref="BadInputException">A text is given and there is no tokenizer; a sample is too long, or not of the vocabulary.</exception>
    public IReadOnlyList<int[]> Samples(Checkpoint official, int longest)
    {
        var samples = tokens ?? [.. Encode(official.Tokenizer).Chunk(Math.Min(longest, SampleTokens))];
        var (kept, left) = (new List<int[]>(), maxTokens);
        for (var i = 0; i < samples.Count && left > 0; i++)
        {
            var ids = samples[i].Length <= left ? samples[i] : samples[i][..left];
            Check(i, ids, longest, official.Config.VocabularySize);
            kept.Add(ids);
            left -= ids.Length;
        }
        return kept.Count > 0 ? kept : throw new BadInputException(source, null, "expected at least one token, found none");

        int[] Encode(Tokenizer? tokenizer) => tokenizer?.Encode(text!, addSpecialTokens: true, encodeSpecialTokens: true)
            ?? throw new BadInputException(official.Folder, "tokenizer.json", "expected one to read the text with, found none; tokens need none");
    }

    /// <summary>What to say of the figures: a model whose own tokenizer reads the text otherwise is asked what it would never be asked.</summary>
    public IEnumerable<string> Warnings(Checkpoint model, Checkpoint official, IReadOnlyList<int[]> samples)
    {
        if (text is not null && model.Tokenizer is { } own
            && !own.Encode(text, addSpecialTokens: true, encodeSpecialTokens: true)
                .SequenceEqual(official.Tokenizer!.Encode(text, addSpecialTokens: true, encodeSpecialTokens: true)))
        {
            yield return $"{model.Folder}: tokenizer.json: makes other tokens of the text than the official model's, whose tokens are used";
        }
        if (samples.Sum(ids => ids.Length) is < 100 and var few) yield return $"{source}: {few} tokens are few: other text may give other figures";
    }

    private void Check(int sample, int[] ids, int longest, int vocabulary)
    {
        if (ids.Length == 0 || ids.Length > longest)
            throw new BadInputException(source, $"samples[{sample}]", $"expected 1 to {longest} tokens, found {ids.Length}");
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)vocabulary)
                throw new BadInputException(source, $"samples[{sample}]", $"expected token ids from 0 to {vocabulary - 1}, found {id}");
        }
    }
}
