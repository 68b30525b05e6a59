using System.Text.Json;
using Quilt.Formats.Checkpoints;

namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>Reads an added token as settings files write one: a text, or an object with the text and its flags.</summary>
internal static class AddedTokenJson
{
    /// <summary>The token; null for null.</summary>
    /// <param name="json">The object that it is in.</param>
    /// <param name="key">Its key, for messages.</param>
    /// <param name="value">It.</param>
    /// <param name="special">Whether it is special if nothing is said of it.</param>
    /// <exception cref="BadInputException">It is neither a text nor such an object.</exception>
    public static AddedToken? Read(ConfigJson json, string key, JsonElement value, bool special)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return Plain(json.Text(key, value), special);
            case JsonValueKind.Object:
                var token = new ConfigJson(value, json.Source, $"{json.Path(key)}.");
                var content = token.Text("content") ?? throw token.Bad("content", "is missing; expected the token's text");
                special = token.Flag("special") ?? special;
                return new AddedToken(content, token.Flag("single_word") ?? false, token.Flag("lstrip") ?? false, token.Flag("rstrip") ?? false,
                    token.Flag("normalized") ?? !special, special);
            default:
                throw json.Bad(key, $"expected a token's text, or an object with its content, found {ConfigJson.Short(value)}");
        }
    }

    /// <summary>A token of which nothing but its text is known.</summary>
    public static AddedToken Plain(string content, bool special) => new(content, false, false, false, !special, special);
}
