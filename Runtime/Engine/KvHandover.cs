namespace Quilt.Runtime;

/// <summary>What a request says of where its prompt's keys and values come from or go to, by vLLM's <c>kv_transfer_params</c>.</summary>
/// <param name="IsForOthers">Its prompt is computed for another process to go on from (<c>do_remote_decode</c>).</param>
/// <param name="Host">Who has computed its prompt (<c>remote_host</c>); null: nobody.</param>
/// <param name="Port">The port there.</param>
/// <param name="Blocks">Leading blocks that are there.</param>
internal sealed record KvHandover(bool IsForOthers, string? Host, int Port, int Blocks);

/// <summary>Where the keys and values of a prompt lie that was computed for others.</summary>
/// <param name="Engine">The process's name.</param>
/// <param name="Host">Its address.</param>
/// <param name="Port">The port of its KV door.</param>
/// <param name="Blocks">Leading full blocks.</param>
internal sealed record KvOffer(string Engine, string Host, int Port, int Blocks);
