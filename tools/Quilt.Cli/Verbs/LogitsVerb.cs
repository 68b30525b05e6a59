using System.CommandLine;
using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Verbs;

/// <summary><c>logits --tokens IDS --out FILE</c>: the numbers inside a forward pass, for comparing implementations.</summary>
internal static class LogitsVerb
{
    public static Command Create()
    {
        var tokens = new Option<string>("--tokens") { Description = "Token ids, e.g. 1,2,3.", HelpName = "IDS", Required = true };
        var output = new Option<string>("--out") { Description = "safetensors file to write.", HelpName = "FILE", Required = true };
        var layers = new Option<bool>("--layers") { Description = "Write each layer's residual stream and routing too." };
        var layerwise = new Option<bool>("--layer-by-layer") { Description = "Hold one layer's weights at a time, for models larger than memory." };
        var command = new Command("logits", "Writes the logits after every token of a prompt to a safetensors file.")
        {
            tokens, output, layers, layerwise,
        };
        var model = new ModelOptions().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            var ids = TokenIds.Parse("--tokens", parsed.GetValue(tokens)!);
            var path = parsed.GetValue(output)!;
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
                throw new Formats.BadInputException(path, null, "the folder does not exist");
            var trace = parsed.GetValue(layerwise)
                ? await TraceLayerwiseAsync(parsed.GetValue(model.Model)!, model.Read(parsed), ids, parsed.GetValue(layers), cancel)
                : await TraceAsync(model, parsed, ids, parsed.GetValue(layers), cancel);
            SafeTensorsWriter.Write(path, [.. Tensors(trace)], new Dictionary<string, string> { ["format"] = "pt" }, cancel);
            return 0;
        });
        return command;
    }

    private static async Task<StepTrace> TraceAsync(ModelOptions model, ParseResult parsed, int[] ids, bool layers, CancellationToken cancel)
    {
        await using var engine = await model.OpenAsync(parsed, cancel);
        return await engine.TraceAsync(ids, layers).WaitAsync(cancel);
    }

    private static Task<StepTrace> TraceLayerwiseAsync(string folder, EngineOptions options, int[] ids, bool layers, CancellationToken cancel) =>
        LoadingBar.ShowAsync(progress => Usage.OfAsync(() => Task.Factory.StartNew(
            () =>
            {
                options.Validate();
                using var checkpoint = Checkpoint.Open(folder);
                var spec = Architectures.Describe(checkpoint.Config);
                using var device = options.OpenDevice();
                DecoderLimits.CheckOn(device, spec);
                var tracer = new LayerwiseTracer(spec, new CheckpointParts(checkpoint, device, progress, cancel), device, options);
                return tracer.Run(ids, layers);
            },
            cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    private static IEnumerable<TensorToWrite> Tensors(StepTrace trace)
    {
        yield return Floats("logits", trace.Logits, trace.Tokens, trace.VocabularySize);
        for (var layer = 0; layer < trace.LayerHidden.Count; layer++)
        {
            yield return Floats($"layer.{layer}.hidden", trace.LayerHidden[layer], trace.Tokens, trace.Hidden);
            if (trace.RouterIds[layer].Length == 0) continue;
            var ids = Array.ConvertAll(trace.RouterIds[layer], id => (long)id);
            yield return new($"layer.{layer}.router_ids", DType.I64, [trace.Tokens, trace.ExpertsPerToken],
                stream => stream.Write(MemoryMarshal.AsBytes<long>(ids)));
            yield return Floats($"layer.{layer}.router_weights", trace.RouterWeights[layer], trace.Tokens, trace.ExpertsPerToken);
        }
    }

    private static TensorToWrite Floats(string name, float[] values, int rows, int columns) =>
        new(name, DType.F32, [rows, columns], stream => stream.Write(MemoryMarshal.AsBytes<float>(values)));
}
