#pragma warning disable
using System.Text.Json;
namespace Quilt.Formats.Chat.Replies { public record ReplyEvent; public record ReplyOptions { public JsonElement? Tools {get;init;} public bool StartsThinking {get;init;} } public abstract class ReplyParser { public static ReplyParser Create(string d, ReplyOptions? o)=>null; public abstract void Push(ReadOnlySpan<char> p, ICollection<ReplyEvent> e); public abstract void Finish(ICollection<ReplyEvent> e);} }
