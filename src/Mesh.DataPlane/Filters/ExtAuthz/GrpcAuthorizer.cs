using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Envoy.Service.Auth.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.Filters;
using Mesh.Xds.Grpc;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>An authorizer that is asked by <c>envoy.service.auth.v3.Authorization/Check</c>.</summary>
/// <param name="target">Where it is.</param>
/// <param name="metadata">Headers of each call (<c>initial_metadata</c>).</param>
internal sealed class GrpcAuthorizer(ClusterTarget target, IReadOnlyList<(string Name, HeaderFormat Value)> metadata) : IAuthorizer
{
    private static readonly GrpcMethod<CheckRequest, CheckResponse> Check = new("/envoy.service.auth.v3.Authorization/Check", CheckResponse.Parser);

    public string Cluster => target.Cluster;

    public async Task<CheckResult> CheckAsync(CheckRequest request, HttpExchange exchange, FilterServices services, CancellationToken cancellationToken)
    {
        GrpcMetadata? headers = null;
        foreach (var (name, value) in metadata)
        {
            (headers ??= new GrpcMetadata()).Add(name, value.Render(exchange));
        }

        return Read(await services.Calls.UnaryAsync(target, Check, request, headers, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Asks about a connection, of which the headers of a call can say nothing.</summary>
    public async Task<CheckResult> CheckAsync(CheckRequest request, FilterServices services, CancellationToken cancellationToken)
        => Read(await services.Calls.UnaryAsync(target, Check, request, null, cancellationToken).ConfigureAwait(false));

    private static CheckResult Read(CheckResponse response)
    {
        CheckResult result;
        if ((response.Status?.Code ?? 0) == (int)StatusCode.Ok)
        {
            result = Allowed(response.OkResponse);
        }
        else if (response.ErrorResponse is { } error)
        {
            result = Refused(CheckStatus.Error, error) with { HttpStatus = (int)(error.Status?.Code ?? 0) };
        }
        else
        {
            result = response.DeniedResponse is { } denied ? Refused(CheckStatus.Denied, denied) : new CheckResult(CheckStatus.Denied) { HttpStatus = 403 };
        }

#pragma warning disable CS0612 // The older field wins where it is set.
        var metadata = response.OkResponse?.DynamicMetadata ?? response.DynamicMetadata;
#pragma warning restore CS0612
        return metadata is { Fields.Count: > 0 } ? result with { Metadata = Json(metadata) } : result;
    }

    private static CheckResult Allowed(OkHttpResponse? response)
    {
        var unknown = false;
        return response is null
            ? new CheckResult(CheckStatus.Ok)
            : new CheckResult(CheckStatus.Ok)
            {
                Headers = [.. response.Headers.Select(h => Change(h, HeaderWrite.Overwrite, ref unknown)).OfType<HeaderChange>()],
                HeadersToRemove = [.. response.HeadersToRemove.Select(n => n.ToLowerInvariant())],
                ResponseHeaders = [.. response.ResponseHeadersToAdd.Select(h => Change(h, HeaderWrite.Append, ref unknown)).OfType<HeaderChange>()],
                QueryToSet = [.. response.QueryParametersToSet.Select(p => (p.Key, p.Value))],
                QueryToRemove = [.. response.QueryParametersToRemove],
                HasUnknownAction = unknown,
            };
    }

    private static CheckResult Refused(CheckStatus status, DeniedHttpResponse response)
    {
        var unknown = false;
        return new CheckResult(status)
        {
            HttpStatus = response.Status is { Code: not 0 } http ? (int)http.Code : 403,
            Body = response.Body,
            Headers = [.. response.Headers.Select(h => Change(h, HeaderWrite.Overwrite, ref unknown)).OfType<HeaderChange>()],
            HasUnknownAction = unknown,
        };
    }

    // Without append and append_action a request's header is overwritten, as the message's documentation has it, and a response's is added.
    private static HeaderChange? Change(HeaderValueOption option, HeaderWrite unset, ref bool unknown)
    {
        var name = option.Header.Key.ToLowerInvariant();
        var value = option.Header.RawValue.IsEmpty ? option.Header.Value : option.Header.RawValue.ToStringUtf8();
#pragma warning disable CS0612 // What most authorizers send.
        if (option.Append is { } append)
#pragma warning restore CS0612
        {
            return append
                ? new HeaderChange(name, value, HeaderWrite.Append, OnlyIfExists: unset == HeaderWrite.Overwrite)
                : new HeaderChange(name, value, HeaderWrite.Overwrite);
        }

        HeaderWrite? action = option.AppendAction switch
        {
            AppendAction.AppendIfExistsOrAdd => unset,
            AppendAction.AddIfAbsent => HeaderWrite.AddIfAbsent,
            AppendAction.OverwriteIfExistsOrAdd => HeaderWrite.Overwrite,
            AppendAction.OverwriteIfExists => HeaderWrite.OverwriteIfExists,
            _ => null,
        };
        unknown |= action is null;
        return action is { } known ? new HeaderChange(name, value, known) : null;
    }

    private static JsonObject Json(Struct metadata) => JsonNode.Parse(FilterMessage.Format(metadata, "dynamic_metadata"))!.AsObject();
}
