using System.CommandLine;
using System.Text.Json;
using Quilt.Cli.Chat;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Cli.Verbs;

/// <summary><c>chat [PROMPT]</c>: a reply, or a conversation.</summary>
internal static class ChatVerb
{
    public static Command Create()
    {
        var prompt = new Argument<string?>("PROMPT") { Description = "What to say; left out: a conversation, line by line.",
            Arity = ArgumentArity.ZeroOrOne };
        var system = new Option<string?>("--system") { Description = "The system message." };
        var tools = new Option<string?>(
            "--tools") { Description = "Tools the model may call, in OpenAI's form; calls are printed as one JSON line each.", HelpName = "FILE" };
        var thinking = new Option<bool>("--thinking")
        { Description = "Print thinking too where the output is no terminal, in front as <think>…</think>." };
        var dialect =
            new Option<string?>(
            "--dialect") { Description =
            $"How the model writes its replies, if its chat template does not tell: {string.Join(", ", ReplyParser.Dialects)}.", HelpName = "NAME" };
        var command = new Command("chat", "Talks to a model.") { prompt, system, tools, thinking, dialect };
        var model = new ModelOptions().AddTo(command);
        var sampling = new SamplingArguments().AddTo(command);
        var output = new OutputArguments().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            sampling.Check(parsed);
            var form = output.Read(parsed);
            JsonElement? listed = parsed.GetValue(tools) is { } file ? InputFile.ReadTools(file) : null;
            await using var engine = await model.OpenAsync(parsed, cancel, options => options with
            {
                ReplyDialect = parsed.GetValue(dialect),
                // One question finds nothing in a cache that begins empty.
                PrefixCaching = parsed.GetValue(prompt) is null || options.HasTiers,
            });
            var talk = new Talk(engine, sampling.Read(parsed, engine.DefaultSampling), parsed.GetValue(system), listed, parsed.GetValue(thinking),
                form);
            if (parsed.GetValue(prompt) is { } question) await talk.AskAsync(question, cancel);
            else await talk.LoopAsync(cancel);
            Timings.Print(engine.Memory);
            model.Tell(engine);
            return 0;
        });
        return command;
    }
}
