using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// vLLM's <c>kv_transfer_params</c>, by which a proxy has a prompt computed at one server and its reply written at another: the first is asked with
/// <c>do_remote_decode</c> and answers where the blocks are, the second is given that answer.
/// </summary>
internal static class KvTransferFields
{
    private const int MostBlocks = 1 << 20;

    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="ApiException">This server moves no blocks, or a field is not what it should be.</exception>
    public static KvHandover? Read(Fields body, QuiltServerOptions server)
    {
        if (body.Any("kv_transfer_params") is null) return null;
        if (!server.MovesBlocks)
            throw ApiException.NotBuilt("kv_transfer_params: this server does not move caches (--cluster with --role).", "kv_transfer_params");
        if (body.Object("kv_transfer_params") is not { } given) return null;
        var isForOthers = given.Flag("do_remote_decode") ?? false;
        if (given.Flag("do_remote_prefill") is not true || given.Text("remote_host") is not { } host)
            return isForOthers ? new KvHandover(true, null, 0, 0) : null;
        var port = given.Int("remote_port") ?? 0;
        if (port is < 1 or > 65535) throw ApiException.Bad($"remote_port: expected 1 to 65535, found {port}.", "kv_transfer_params");
        return new KvHandover(isForOthers, host, port, given.Ids("remote_block_ids", MostBlocks)?.Count ?? 0);
    }

    /// <summary>What an answer says; null: nothing.</summary>
    public static JsonElement? Write(Generation generation)
    {
        if (generation.Offer is not { } offer) return null;
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteBoolean("do_remote_prefill", true);
            json.WriteBoolean("do_remote_decode", false);
            json.WriteString("remote_engine_id", offer.Engine);
            json.WriteStartArray("remote_block_ids");
            for (var i = 0; i < offer.Blocks; i++) json.WriteNumberValue(i);
            json.WriteEndArray();
            json.WriteString("remote_host", offer.Host);
            json.WriteNumber("remote_port", offer.Port);
            json.WriteNumber("tp_size", 1);
            json.WriteEndObject();
        }
        using var document = JsonDocument.Parse(bytes.ToArray());
        return document.RootElement.Clone();
    }
}
