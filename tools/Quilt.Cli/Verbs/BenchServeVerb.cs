using System.CommandLine;
using Quilt.Cli.Bench.Serve;

namespace Quilt.Cli.Verbs;

/// <summary><c>bench serve</c>: load on a server that speaks OpenAI's API, ours or another.</summary>
internal static class BenchServeVerb
{
    private const int Most = 10_000_000;

    public static Command Create()
    {
        var url = new Option<string?>("--url")
        { Description = "The server, as http://127.0.0.1:8000; left out: one is started in this process.", HelpName = "URL" };
        var key = new Option<string?>("--api-key") { Description = "Sent to the server as a bearer token.", HelpName = "KEY" };
        var endpoint = TypedOption.OneOf<LoadEndpoint>("--endpoint", "What is asked: chat (default), or completions, which take no chat template.");
        var requests = TypedOption.Whole("--requests", "Requests to send, all turns of all conversations together; default 100.");
        var streams = TypedOption.Whole("--streams", "Closed loop: conversations at a time; default 8.");
        var rate = TypedOption.Real("--rate", "Open loop: requests a second on average, Poisson, whether the server keeps up or not.");
        var seed = TypedOption.Whole("--seed", "Of arrivals and prompts; default 0.");
        var prompt = TypedOption.Whole("--prompt", "Tokens of a conversation's first prompt; default 128.");
        var reply = TypedOption.Whole("--reply", "Tokens of a reply; default 64.");
        var shared = TypedOption.Whole("--shared-prefix", "Tokens of text, of those of --prompt, that all prompts begin with; default 0.");
        var turns = TypedOption.Whole("--turns", "Requests of a conversation, which grows by the replies; default 1.");
        var timeout = TypedOption.Real("--timeout", "Seconds after which a request has failed; default 600.");
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("serve", "Puts load on a server that speaks OpenAI's API, and takes times.")
        { url, key, endpoint, requests, streams, rate, seed, prompt, reply, shared, turns, timeout, json };
        var model = new ModelOptions().AddTo(command);
        model.Model.Description = "With --url: the name to ask for, by default the first that the server lists; else the checkpoint folder.";

        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(streams) is not null && parsed.GetValue(rate) is not null)
                throw new UsageException("--streams, --rate: expected one of them at most");
            var options = new LoadOptions(Whole(requests, 100, 1), Whole(streams, 8, 1), Positive(rate, null), parsed.GetValue(seed) ?? 0,
                Whole(prompt, 128, 1), Whole(reply, 64, 1), Whole(shared, 0, 0), Whole(turns, 1, 1),
                parsed.GetValue(endpoint) ?? LoadEndpoint.Chat);
            if (options.SharedPrefix >= options.Prompt)
                throw new UsageException($"--shared-prefix: expected less than --prompt ({options.Prompt}), found {options.SharedPrefix}");
            var limit = TimeSpan.FromSeconds(Positive(timeout, 600)!.Value);
            var named = parsed.GetResult(model.Model) is { Implicit: false };
            if (parsed.GetValue(url) is { } address)
            {
                RefuseEngineOptions(parsed, model);
                return await RunAsync(ReadUrl(address), parsed.GetValue(key), named ? parsed.GetValue(model.Model) : null);
            }
            if (parsed.GetValue(key) is not null)
                throw new UsageException("--api-key: expected --url beside it; a server in the process asks for none");
            await using var server = await LoadingBar.ShowAsync(_ => Usage.OfAsync(() =>
                OwnServer.StartAsync(parsed.GetValue(model.Model)!, model.Read(parsed), cancel)));
            return await RunAsync(server.Address, null, null);

            async Task<int> RunAsync(Uri server, string? apiKey, string? name)
            {
                using var client = new ApiClient(server, apiKey, limit);
                var (form, plan) = await new ServerProbe(client, options, text => Failures.Print($"warning: {text}")).LookAsync(name, cancel);
                var run = new LoadRun(client, form, plan, options);
                var result = await LoadBar.ShowAsync(run.RunAsync(cancel), () => run.Done, options.Requests);
                if (parsed.GetValue(json)) JsonOutput.Print(writer => LoadReport.Write(result, writer));
                else LoadReport.Print(result, options, $"{server}, model {form.Model}", Console.Out);
                if (LoadReport.Failed(result) is not { } failed) return 0;
                Failures.Print(failed);
                return 1;
            }

            int Whole(Option<int?> option, int usual, int least) => (parsed.GetValue(option) ?? usual) is var value && value >= least && value <= Most
                ? value
                : throw new UsageException($"{option.Name}: expected {least} to {Most}, found {value}");
            double? Positive(Option<double?> option, double? usual) => (parsed.GetValue(option) ?? usual) is not { } value ? null
                : value is > 0 and <= 1_000_000 ? value
                : throw new UsageException(FormattableString.Invariant($"{option.Name}: expected more than 0 and at most 1000000, found {value}"));
        });
        return command;
    }

    private static void RefuseEngineOptions(ParseResult parsed, ModelOptions model)
    {
        Option[] engine = [model.Device, model.Threads, model.Activations, model.Isa, model.KvMemory, model.KvType, model.MaxBatchedTokens,
            model.MaxSequences, .. model.Tiers.All];
        if (Array.Find(engine, option => parsed.GetResult(option) is { Implicit: false }) is { } given)
            throw new UsageException($"{given.Name}: expected no --url beside it; how another server runs is its own affair");
    }

    private static Uri ReadUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new UsageException($"--url: expected http://HOST:PORT or https://HOST, found '{text}'");
}
