using Envoy.Config.Core.V3;
using Google.Protobuf.Collections;
using Istio.Networking.V1Alpha3;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Mesh.ControlPlane.Generators;

/// <summary>Changes to headers as a rule writes them: what Envoy takes as header mutations, and the authority, which it rewrites by a field of its own.</summary>
internal sealed class HeaderOperations
{
    private readonly Headers? _headers;

    public HeaderOperations(Headers? headers)
    {
        _headers = headers;
        // Written in both, the one that replaces counts.
        Authority = AuthorityOf(headers?.Request?.Set) ?? AuthorityOf(headers?.Request?.Add);
    }

    /// <summary>What <c>host</c> or <c>:authority</c> is set to; <see langword="null"/>: it stays.</summary>
    public string? Authority { get; }

    public void AddTo(
        RepeatedField<HeaderValueOption> requestToAdd,
        RepeatedField<string> requestToRemove,
        RepeatedField<HeaderValueOption> responseToAdd,
        RepeatedField<string> responseToRemove)
    {
        Add(_headers?.Request, requestToAdd, requestToRemove);
        Add(_headers?.Response, responseToAdd, responseToRemove);
    }

    private static void Add(Headers.Types.HeaderOperations? operations, RepeatedField<HeaderValueOption> toAdd, RepeatedField<string> toRemove)
    {
        if (operations is null)
        {
            return;
        }

        AddValues(operations.Set, AppendAction.OverwriteIfExistsOrAdd, toAdd);
        AddValues(operations.Add, AppendAction.AppendIfExistsOrAdd, toAdd);
        toRemove.AddRange(operations.Remove.Where(name => !IsInternal(name)));
    }

    // Maps have no order: by name, as Istio sends them.
    private static void AddValues(MapField<string, string> values, AppendAction action, RepeatedField<HeaderValueOption> toAdd)
        => toAdd.AddRange(values
            .Where(header => !IsInternal(header.Key))
            .OrderBy(header => header.Key, StringComparer.Ordinal)
            .Select(header => new HeaderValueOption { Header = new HeaderValue { Key = header.Key, Value = header.Value }, AppendAction = action }));

    private static string? AuthorityOf(MapField<string, string>? values)
        => values?.Where(header => IsAuthority(header.Key) && header.Value.Length > 0).Select(header => header.Value).FirstOrDefault();

    /// <summary>Envoy refuses to add or remove what is part of the request line.</summary>
    private static bool IsInternal(string name) => name.StartsWith(':') || IsAuthority(name);

    private static bool IsAuthority(string name)
        => name.Equals("host", StringComparison.OrdinalIgnoreCase) || name.Equals(":authority", StringComparison.OrdinalIgnoreCase);
}
