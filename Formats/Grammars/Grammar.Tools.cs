using System.Text.Json;
using Quilt.Formats.Grammars.Tools;

namespace Quilt.Formats.Grammars;

/// <summary>Grammars of tool calls.</summary>
public sealed partial class Grammar
{
    /// <summary>
    /// Replies with calls of tools in a model's own form, each with arguments that meet its tool's schema. It holds for what follows the thinking.
    /// </summary>
    /// <param name="dialect">One of <see cref="Chat.Replies.ReplyParser.Dialects"/>.</param>
    /// <param name="tools">A list of tools in OpenAI's form, or its flat form.</param>
    /// <param name="options">Which calls are wanted; null: any, in free text.</param>
    /// <exception cref="BadInputException">There is no such dialect or tool, the dialect has no calls, or a tool's schema demands what cannot be held
    /// to while a call is written.</exception>
    public static Grammar ToolCalls(string dialect, JsonElement tools, ToolCallOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(dialect);
        return new(ToolCallGrammar.Read(dialect, tools, options ?? new ToolCallOptions()));
    }
}
