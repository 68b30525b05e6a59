using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using Spectre.Console;

namespace Quilt.Cli.Verbs;

/// <summary><c>cluster status</c>: nodes, models and load of a cluster, asked of any of its servers.</summary>
internal static class ClusterVerb
{
    public static Command Create() => new("cluster", "Looks at a cluster of servers.") { Status() };

    private static Command Status()
    {
        var url = new Option<string>("--url")
        { Description = "Any server of the cluster; http://127.0.0.1:8000.", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:8000" };
        var key = new Option<string?>("--api-key") { Description = "Sent to the server as a bearer token.", HelpName = "KEY" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("status", "Says which replicas there are and what they have to do.") { url, key, json };
        command.SetAction(async (parsed, cancel) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
                throw new UsageException($"--url: expected an address as http://127.0.0.1:8000, found '{parsed.GetValue(url)}'");
            using var answer = await AskAsync(server, parsed.GetValue(key), cancel);
            if (parsed.GetValue(json)) JsonOutput.Print(answer.RootElement.WriteTo);
            else Print(answer.RootElement);
            return 0;
        });
        return command;
    }

    private static async Task<JsonDocument> AskAsync(Uri server, string? key, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.AbsoluteUri.TrimEnd('/') + "/cluster"));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await SendAsync(client, request, server, cancel);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound)
            throw new Formats.BadInputException(server.ToString(), "/cluster", "expected a server of a cluster (--cluster), found another");
        if (!response.IsSuccessStatusCode)
            throw new Formats.BadInputException(server.ToString(), "/cluster", $"expected status 200, found {(int)response.StatusCode}");
        return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancel), cancellationToken: cancel);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpRequestMessage request, Uri server, CancellationToken cancel)
    {
        try
        {
            return await client.SendAsync(request, cancel);
        }
        catch (HttpRequestException thrown)
        {
            throw new Formats.BadInputException(server.ToString(), "/cluster", $"expected a server, found none that answers: {thrown.Message}");
        }
    }

    private static void Print(JsonElement status)
    {
        var table = new Table().Border(TableBorder.None);
        string[] columns = ["node", "model", "state", "role", "running", "waiting", "blocks_used", "blocks_cached", "blocks", "url"];
        foreach (var column in columns) table.AddColumn(new TableColumn(column.Replace('_', ' ')).NoWrap());
        foreach (var replica in status.GetProperty("replicas").EnumerateArray())
        {
            table.AddRow(columns.Select(column => new Text(replica.GetProperty(column).ToString())));
        }
        var (cluster, node, policy) = (status.GetProperty("cluster"), status.GetProperty("node"), status.GetProperty("policy"));
        AnsiConsole.Write(new Text($"cluster {cluster}, seen by {node}, routing {policy}\n"));
        AnsiConsole.Write(table);
    }
}
