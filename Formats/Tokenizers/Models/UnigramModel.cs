using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>
/// Unigram: of all ways to write a word in tokens the one whose scores have the greatest sum (Viterbi over the bytes of the word).
/// Of equal sums the one found first stands, so that a longer last token wins; an unknown character costs ten more than the worst token.
/// </summary>
internal sealed class UnigramModel : TokenModel
{
    /// <summary>Ids by token.</summary>
    public required ByteTrie Tokens { get; init; }

    /// <summary>Logarithms of probabilities, by id.</summary>
    public required double[] Scores { get; init; }

    /// <summary>The score of a character without a token.</summary>
    public required double UnknownScore { get; init; }

    /// <summary>The token of what is unknown, or -1.</summary>
    public required int Unknown { get; init; }

    /// <summary>Tokens of bytes for what is unknown, by byte; null where there is no byte fallback.</summary>
    public required int[]? ByteTokens { get; init; }

    /// <summary>The file, for messages.</summary>
    public required string Source { get; init; }

    public override WordEncoder CreateEncoder() => new Encoder(this);

    private sealed class Encoder(UnigramModel model) : CachedEncoder
    {
        private double[] best = new double[64];     // the sum of the best way to each place
        private int[] start = new int[64];          // where the last token of that way starts, or -1
        private int[] token = new int[64];          // and which it is
        private long steps;

        public override long Steps => steps;

        protected override void EncodeNew(ReadOnlySpan<byte> word, List<int> ids)
        {
            Reserve(word.Length + 1);
            start.AsSpan(0, word.Length + 1).Fill(-1);
            best[0] = 0;
            for (var at = 0; at < word.Length;)
            {
                var length = word[at] < 0x80 ? 1 : word[at] < 0xE0 ? 2 : word[at] < 0xF0 ? 3 : 4;
                var single = false;
                var node = ByteTrie.Root;
                for (var end = at; end < word.Length && (node = model.Tokens.Step(node, word[end])) >= 0; end++)
                {
                    steps++;
                    if (model.Tokens.Value(node) is not (>= 0 and var id)) continue;
                    Offer(at, end + 1, id, model.Scores[id]);
                    single |= end + 1 == at + length;
                }
                if (!single)
                {
                    if (model.Unknown < 0)
                        throw new BadInputException(model.Source, ModelReader.Part,
                            "the text has a character without a token, and unk_id is missing");
                    Offer(at, at + length, model.Unknown, model.UnknownScore);
                }
                at += length;
            }
            Collect(word, ids);
        }

        private void Offer(int from, int to, int id, double score)
        {
            var sum = score + best[from];
            if (start[to] >= 0 && !(sum > best[to])) return;
            (best[to], start[to], token[to]) = (sum, from, id);
        }

        // From the end to the beginning, a run of unknown tokens as one; then turned round.
        private void Collect(ReadOnlySpan<byte> word, List<int> ids)
        {
            var first = ids.Count;
            for (var end = word.Length; end > 0;)
            {
                var from = start[end];
                var id = token[end];
                if (id != model.Unknown) ids.Add(id);
                else
                {
                    while (from > 0 && token[from] == model.Unknown) from = start[from];
                    AddUnknown(word[from..end], ids);
                }
                end = from;
            }
            ids.Reverse(first, ids.Count - first);
        }

        // In reverse. A run of unknown tokens may spell a token, if only the unknown one itself.
        private void AddUnknown(ReadOnlySpan<byte> text, List<int> ids)
        {
            if (model.Tokens.Find(text) is >= 0 and var known) ids.Add(known);
            else if (model.ByteTokens is { } bytes && AllIn(text, bytes)) for (var i = text.Length - 1; i >= 0; i--) ids.Add(bytes[text[i]]);
            else ids.Add(model.Unknown);
        }

        private static bool AllIn(ReadOnlySpan<byte> text, int[] bytes)
        {
            foreach (var value in text) if (bytes[value] < 0) return false;
            return true;
        }

        private void Reserve(int count)
        {
            if (best.Length >= count) return;
            var size = Math.Max(count, best.Length * 2);
            (best, start, token) = (new double[size], new int[size], new int[size]);
        }
    }
}
