using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>A request of /v1/chat/completions, understood: what the engine is asked for, and how the answer is written.</summary>
/// <param name="Generation">For the engine.</param>
/// <param name="Terms">For the answer.</param>
internal sealed record ChatRequest(GenerationRequest Generation, ReplyTerms Terms)
{
    /// <summary>Reads a request.</summary>
    /// <param name="body">Its fields.</param>
    /// <param name="lease">The model it asks for.</param>
    /// <param name="server">The server's options.</param>
    /// <param name="defaults">Sampling options where it says nothing.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ApiException">A field is not what it should be.</exception>
    public static ChatRequest Read(Fields body, ModelLease lease, QuiltServerOptions server, SamplingOptions defaults, TimeProvider time)
    {
        var engine = lease.Engine;
        var vocabulary = engine.VocabularySize;
        var terms = ReplyTerms.Read(body, "chatcmpl", lease.Model.Name, server, time);
        var template = TemplateFields.Template(body, server, engine.Template);
        var tools = ToolFields.Read(body, HasParser(engine), server.ExcludeToolsWhenNone);
        var conversation = TemplateFields.Read(body, tools, server, server.ContentParts ?? (template ?? engine.Template)?.TakesContentParts ?? false);
        var sampling = SamplingFields.Read(body, defaults, engine.Tokenizer, vocabulary);
        sampling = ProbabilityFields.Read(body, sampling, server, vocabulary);
        RequestFields.RefuseUnbuilt(body);
        RequestFields.RefuseEqualChoices(body, sampling);
        var generation = RequestFields.Read(body, server) with
        {
            Conversation = conversation,
            Template = template,
            AddSpecialTokens = body.Flag("add_special_tokens") ?? false,
            Sampling = sampling,
            Reply = new ReplyOptions { CallsAsText = tools.IsNone },
            Output = tools.Choice is null ? OutputFields.Read(body) : null,
            ToolChoice = tools.Choice,
            ParallelToolCalls = terms.ParallelToolCalls,
            PromptLogProbabilities = ProbabilityFields.OfPrompt(body, server, vocabulary, terms.IsStream),
        };
        return new(generation, terms with
        {
            LogProbabilities = sampling.LogProbabilities,
            CallsOnly = tools.Choice is not null,
            Prefix = body.Flag("echo") == true ? LastOf(conversation, terms.Role) : "",
            PromptText = body.Flag("return_prompt_text") == true ? (template ?? engine.Template)?.Render(conversation) : null,
        });
    }

    /// <summary>Whether calls in a model's replies can be read.</summary>
    public static bool HasParser(Engine engine) => engine.ReplyDialect is { } dialect && dialect is not ("text" or "think");

    // What the reply goes on with, where the last message is the assistant's own.
    private static string LastOf(Conversation conversation, string role)
    {
        var last = conversation.Messages[^1];
        return last.GetProperty("role").ValueEquals(role)
            && last.GetProperty("content") is { ValueKind: System.Text.Json.JsonValueKind.String } content
            ? content.GetString()!
            : "";
    }
}
