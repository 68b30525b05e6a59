using Quilt.Formats.Tokenizers.Models;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>Byte-pair encoding: a word is spelled in symbols, of which pairs merge in the order of their rank.</summary>
internal sealed class BpeModel : TokenModel
{
    /// <summary>Merges of token ids, in order of rank.</summary>
    public required MergeTable Merges { get; init; }

    /// <summary>How words are spelled.</summary>
    public required Spelling Spelling { get; init; }

    /// <summary>Words that are a token as they stand, merged or not ("ignore_merges"); null where every word is merged.</summary>
    public ByteTrie? WholeWords { get; init; }

    /// <summary>Where long words can be cut; null where they cannot be.</summary>
    public SafeCuts? Cuts { get; init; }

    public override WordEncoder CreateEncoder() => new Encoder(this);

    private sealed class Encoder(BpeModel model) : CachedEncoder
    {
        private readonly BpeMerger merger = new(model.Merges);
        private int[] symbols = new int[64];

        public override long Steps => merger.Steps;

        protected override void EncodeLong(ReadOnlySpan<byte> word, List<int> ids)
        {
            if (model.Cuts is not { } cuts)
            {
                EncodeNew(word, ids);
                return;
            }
            var start = 0;
            var before = CodePoints.Read(word, 0, out var length);
            for (var at = length; at < word.Length; at += length)
            {
                var code = CodePoints.Read(word, at, out length);
                if (cuts.Between(before, code))
                {
                    EncodePart(word[start..at], ids);
                    start = at;
                }
                before = code;
            }
            EncodePart(word[start..], ids);
        }

        protected override void EncodeNew(ReadOnlySpan<byte> word, List<int> ids)
        {
            if (model.WholeWords?.Find(word) is >= 0 and var whole)
            {
                ids.Add(whole);
                return;
            }
            var spelled = model.Spelling.Spell(word, ref symbols);
            ids.AddRange(symbols.AsSpan(0, merger.Merge(symbols.AsSpan(0, spelled))));
        }
    }
}
