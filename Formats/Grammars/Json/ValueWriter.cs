using System.Text;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Values that a schema writes down, as a model writes them: in one spelling, with white space between tokens.</summary>
internal static class ValueWriter
{
    /// <summary>A name or a string, as json.dumps without ASCII writes it.</summary>
    public static string Quoted(string text)
    {
        var quoted = new StringBuilder();
        JsonString.Quote(text, quoted);
        return quoted.ToString();
    }

    /// <summary>One value. A number is spelled as the schema spells it.</summary>
    public static GrammarNode Write(JsonElement value, JsonTokens tokens)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String: return tokens.Listed(Quoted(value.GetString()!));
            case JsonValueKind.Array:
                var items = value.EnumerateArray().Select(item => Nodes.InOrder(Write(item, tokens), tokens.Space));
                return Nodes.InOrder(tokens.OpenList, Joined(items, tokens), JsonTokens.CloseList);
            case JsonValueKind.Object:
                var members = value.EnumerateObject().Select(member =>
                    Nodes.InOrder(tokens.Listed(Quoted(member.Name)), tokens.Colon, Write(member.Value, tokens), tokens.Space));
                return Nodes.InOrder(tokens.OpenObject, Joined(members, tokens), JsonTokens.CloseObject);
            default: return Nodes.Text(value.GetRawText());
        }
    }

    private static GrammarNode Joined(IEnumerable<GrammarNode> items, JsonTokens tokens)
    {
        var joined = new List<GrammarNode>();
        foreach (var item in items)
        {
            if (joined.Count > 0) joined.Add(tokens.Comma);
            joined.Add(item);
        }
        return Nodes.InOrder([.. joined]);
    }
}
