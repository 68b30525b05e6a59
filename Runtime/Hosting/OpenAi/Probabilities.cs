using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Wire;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>Tokens and their log probabilities as they are written: −9999 where JSON has no number for it.</summary>
/// <param name="tokenizer">Of the model.</param>
/// <param name="asIds">Tokens as <c>token_id:123</c>.</param>
internal sealed class Probabilities(Tokenizer tokenizer, bool asIds)
{
    private const float Least = -9999;

    /// <summary>A number that JSON has.</summary>
    public static float Finite(float value) => float.IsNaN(value) ? Least : Math.Max(value, Least);

    /// <summary>A token of a chat.</summary>
    /// <remarks>The most likely ones, then those that the request names.</remarks>
    public ChatToken Chat(in TokenPiece piece) => new(TextOf(piece.Id), Finite(piece.LogProbability), BytesOf(piece.Id),
        [.. piece.Top.Concat(piece.LogProbabilityTokens).DistinctBy(top => top.Id)
            .Select(top => new TopToken(TextOf(top.Id), Finite(top.LogProbability), BytesOf(top.Id)))]);

    /// <summary>The most likely tokens by their text, the chosen one among them.</summary>
    public Dictionary<string, float> Top(int id, float own, IReadOnlyList<TokenProbability> top)
    {
        var read = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach (var one in top) read.TryAdd(TextOf(one.Id), Finite(one.LogProbability));
        read.TryAdd(TextOf(id), Finite(own));
        return read;
    }

    /// <summary>A prompt's tokens, by id; nothing of the first.</summary>
    public IReadOnlyList<Dictionary<string, PromptToken>?> Prompt(IReadOnlyList<PromptScore> scores) =>
        [.. scores.Select((score, i) => i == 0 ? null : OfPlace(score))];

    /// <summary>A token's text.</summary>
    public string TextOf(int id) => asIds ? FormattableString.Invariant($"token_id:{id}") : tokenizer.Decode([id]);

    private Dictionary<string, PromptToken> OfPlace(PromptScore score)
    {
        var read = new Dictionary<string, PromptToken>(StringComparer.Ordinal);
        for (var rank = 0; rank < score.Top.Count; rank++)
        {
            var (id, probability) = score.Top[rank];
            read[$"{id}"] = new(Finite(probability), rank + 1, tokenizer.Decode([id]));
        }
        // Its rank among the most likely is known where it is one of them.
        read.TryAdd($"{score.Id}", new(Finite(score.LogProbability), score.Top.Count + 1, tokenizer.Decode([score.Id])));
        return read;
    }

    private int[] BytesOf(int id) => [.. tokenizer.Bytes(id).ToArray()];
}
