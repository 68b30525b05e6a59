using Quilt.Formats.Tokenizers;

namespace Quilt.Formats.Grammars.Tools;

/// <summary>A dialect's fixed texts as nodes: markers that are special tokens of the tokenizer are these and nothing else.</summary>
/// <param name="markers">The dialect's markers.</param>
/// <param name="tokenizer">Null: none is special.</param>
internal sealed class CallWords(IEnumerable<string> markers, Tokenizer? tokenizer)
{
    private static readonly GrammarNode Number = Nodes.OneOf(Nodes.Text("0"), Nodes.InOrder(Nodes.Range('1', '9'), new Repeat(Nodes.Digit, 0, 2)));

    private static readonly GrammarNode Letters = new Repeat(
        Nodes.OneOf(Nodes.Range('a', 'z'), Nodes.Range('A', 'Z'), Nodes.Range('0', '9')), 9, 9);

    private readonly string[] special =
        [.. markers.Where(marker => tokenizer is not null && tokenizer.TryGetId(marker, out var id) && tokenizer.IsSpecial(id))];

    /// <summary>A text, with a node where it has <see cref="CallSyntax.Name"/>.</summary>
    public GrammarNode Of(string text, GrammarNode? name = null)
    {
        var parts = new List<GrammarNode>();
        var plain = 0;
        for (var i = 0; i < text.Length;)
        {
            var marker = Array.Find(special, marker => string.CompareOrdinal(text, i, marker, 0, marker.Length) == 0);
            GrammarNode? node = marker is not null ? new SpecialToken(marker)
                : text[i] switch { CallSyntax.Name => name, CallSyntax.Index => Number, CallSyntax.Id => Letters, _ => null };
            var length = marker?.Length ?? 1;
            if (node is not null)
            {
                parts.Add(Nodes.Text(text[plain..i]));
                parts.Add(node);
                plain = i + length;
            }
            i += length;
        }
        parts.Add(Nodes.Text(text[plain..]));
        return Nodes.InOrder([.. parts]);
    }
}
