using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Quilt.Cluster.Replies;
using Quilt.Cluster.Fabric;
using Quilt.Cluster.Replicas;
using Quilt.Hosting;
using Quilt.Hosting.Http;

namespace Quilt.Cluster;

/// <summary>A cluster as one of its processes sees it.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Node">The process that was asked.</param>
/// <param name="Policy">By what it chooses replicas.</param>
/// <param name="Replicas">All replicas of its models.</param>
internal sealed record ClusterStatus(string Cluster, string Node, string Policy, IReadOnlyList<ReplicaStatus> Replicas)
{
    /// <summary><c>GET /cluster</c>.</summary>
    public static async Task AnswerAsync(HttpContext http, QuiltServer server)
    {
        var services = http.RequestServices;
        var (options, grains) = (services.GetRequiredService<ClusterOptions>(), services.GetRequiredService<IGrainFactory>());
        var router = services.GetRequiredService<ReplyRouter>();
        var replicas = new List<ReplicaStatus>();
        foreach (var model in server.Models.All)
        {
            var seen = await grains.GetGrain<IReplicaDirectory>(model.Name).List().WaitAsync(options.Silence, http.RequestAborted);
            replicas.AddRange(seen.Select(one => ReplicaStatus.Of(one, router)));
        }
        var status = new ClusterStatus(options.Name, options.NodeName ?? "", options.Policy, replicas);
        await JsonReply.WriteAsync(http, status, ClusterJson.Default.ClusterStatus);
    }

    /// <summary><c>POST /cluster/drain</c>: this process takes nothing new.</summary>
    public static async Task DrainAsync(HttpContext http, QuiltServer server)
    {
        await http.RequestServices.GetRequiredService<ClusterNode>().DrainAsync();
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Replies that go through a process: at its door, and from its engines.</summary>
    internal static int LoadOf(IServiceProvider services) =>
        (services.GetService<ReplyRouter>()?.Load ?? 0) + (services.GetService<LocalReplicas>()?.Load ?? 0);
}

/// <summary>A replica as the directory sees it.</summary>
/// <param name="Node">Its process.</param>
/// <param name="Model">Its model.</param>
/// <param name="State">ready, draining or lost.</param>
/// <param name="Role">both, prefill or decode.</param>
/// <param name="Running">Requests that run.</param>
/// <param name="Waiting">Requests that wait.</param>
/// <param name="Blocks">Blocks of its cache.</param>
/// <param name="BlocksUsed">Held by requests.</param>
/// <param name="BlocksCached">That can be found.</param>
/// <param name="KnownBlocks">Of these, known to the directory.</param>
/// <param name="HitRate">Part of the prompts' tokens found in the cache.</param>
/// <param name="GeneratedTokens">Tokens generated.</param>
/// <param name="Silo">Its address for the others.</param>
/// <param name="Url">Its HTTP door; null: it has none.</param>
/// <param name="KvAddress">Where it hands out blocks; null: it does not, or the process that was asked has not heard of it.</param>
internal sealed record ReplicaStatus(string Node, string Model, string State, string Role, int Running, int Waiting, int Blocks, int BlocksUsed,
    int BlocksCached, int KnownBlocks, double HitRate, long GeneratedTokens, string Silo, string? Url, string? KvAddress)
{
    /// <summary>From what the directory knows.</summary>
    public static ReplicaStatus Of(ReplicaSeen seen, ReplyRouter router)
    {
        var report = seen.Report;
        return new(report.Node, report.Model, seen.IsLost ? "lost" : report.IsDraining ? "draining" : "ready",
            Enum.GetName(report.Role)!.ToLowerInvariant(), report.Running, report.Waiting, report.Blocks, report.BlocksUsed, report.BlocksCached,
            seen.KnownBlocks, report.HitRate, report.GeneratedTokens, report.Silo.Endpoint.ToString(), report.Url,
            report.KvAddress is { } door && router.KnowsDoor(report.Model, door) ? door : null);
    }
}

/// <summary>JSON of the cluster's endpoints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClusterStatus))]
internal sealed partial class ClusterJson : JsonSerializerContext;
