using System.CommandLine;
using System.Text.Json;
using Quilt.Runtime;

namespace Quilt.Cli.Verbs;

/// <summary><c>complete PROMPT</c>: raw continuation, no template.</summary>
internal static class CompleteVerb
{
    public static Command Create()
    {
        var prompt = new Argument<string?>("PROMPT") { Description = "Text to continue.", Arity = ArgumentArity.ZeroOrOne };
        var tokens = new Option<string?>("--tokens") { Description = "Token ids instead of PROMPT, e.g. 1,2,3.", HelpName = "IDS" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("complete", "Continues a text, with no template.") { prompt, tokens, json };
        var model = new ModelOptions().AddTo(command);
        var sampling = new SamplingArguments().AddTo(command);
        var output = new OutputArguments().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            var (text, ids) = (parsed.GetValue(prompt), parsed.GetValue(tokens));
            if (text is null == ids is null) throw new UsageException("complete: expected PROMPT or --tokens, one of them");
            sampling.Check(parsed);
            var form = output.Read(parsed);
            int[] prepared = ids is null ? [] : TokenIds.Parse("--tokens", ids);
            // One request finds nothing in a cache.
            await using var engine = await model.OpenAsync(parsed, cancel, options => options with { PrefixCaching = options.HasTiers });
            var options = sampling.Read(parsed, engine.DefaultSampling) with { LogProbabilities = parsed.GetValue(json) };
            var request = new GenerationRequest { Text = text, Tokens = text is null ? prepared : null, Sampling = options, Output = form };
            var generation = Usage.Of(() => engine.Submit(request, cancel))[0];
            if (parsed.GetValue(json)) await PrintJson(generation, cancel);
            else
            {
                await PrintText(generation, hasText: engine.Tokenizer is not null);
                Timings.Print(engine.Memory);
            }
            model.Tell(engine);
            cancel.ThrowIfCancellationRequested();
            return 0;
        });
        return command;
    }

    private static async Task PrintText(Generation generation, bool hasText)
    {
        var ids = new List<int>();
        await foreach (var piece in generation)
        {
            if (hasText) Console.Out.Write(piece.Text);
            else ids.Add(piece.Id);
        }
        Console.Out.WriteLine(hasText ? "" : $"[{string.Join(',', ids)}]");
        Timings.Print(generation.Stats);
    }

    private static async Task PrintJson(Generation generation, CancellationToken cancel)
    {
        var pieces = new List<TokenPiece>();
        await foreach (var piece in generation) pieces.Add(piece);
        cancel.ThrowIfCancellationRequested();
        JsonOutput.Print(writer =>
        {
            writer.WriteStartObject();
            writer.WriteIds("prompt_ids", generation.PromptIds);
            writer.WriteIds("ids", pieces.Select(piece => piece.Id));
            writer.WriteString("text", string.Concat(pieces.Select(piece => piece.Text)));
            writer.WriteString("finish_reason", generation.FinishReason == FinishReason.Length ? "length" : "stop");
            writer.WriteStartArray("logprobs");
            foreach (var piece in pieces) writer.WriteNumberValue(piece.LogProbability);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }
}
