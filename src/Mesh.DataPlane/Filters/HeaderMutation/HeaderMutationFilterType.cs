using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.HeaderMutation.V3;
using Mesh.Filters;
using Mesh.Xds.Client;
using Append = Envoy.Config.Core.V3.KeyValueAppend.Types.KeyValueAppendAction;
using Message = Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutation;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>
/// Envoy's <c>envoy.filters.http.header_mutation</c>: the listener's changes, then those of every level of the route, the most specific first, or
/// last where <c>most_specific_header_mutations_wins</c>.
/// </summary>
internal sealed class HeaderMutationFilterType() : FilterType<Message, HeaderMutationPerRoute>(Message.Parser, HeaderMutationPerRoute.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        var (own, mostSpecificWins) = ((HeaderMutations, bool))binding.Config;
        var levels = binding.RouteConfigs.Cast<HeaderMutations>();
        HeaderMutations[] mutations = [.. new[] { own }.Concat(mostSpecificWins ? levels : levels.Reverse()).Where(m => !m.IsEmpty)];
        return mutations.Length > 0 ? new HeaderMutationFilter(mutations) : null;
    }

    protected override object Compile(Message message, string path, ICollection<string> notes)
        => (Mutations(message.Mutations ?? new(), path + ".mutations", notes), message.MostSpecificHeaderMutationsWins);

    protected override object CompileRoute(HeaderMutationPerRoute message, string path, ICollection<string> notes)
        => Mutations(message.Mutations ?? new(), path + ".mutations", notes);

    private static HeaderMutations Mutations(Mutations message, string path, ICollection<string> notes)
    {
        if (message.RequestTrailersMutations.Count > 0)
        {
            notes.Add(path + ".request_trailers_mutations are not applied: requests of this process have no trailers");
        }

        if (message.ResponseTrailersMutations.Count > 0)
        {
            notes.Add(path + ".response_trailers_mutations are not applied");
        }

        return new HeaderMutations(
            HeaderActionCompiler.Compile(message.RequestMutations, path + ".request_mutations", notes),
            [.. message.QueryParameterMutations.Select((m, i) => Parameter(m, $"{path}.query_parameter_mutations[{i}]", notes))],
            HeaderActionCompiler.Compile(message.ResponseMutations, path + ".response_mutations", notes));
    }

    private static QueryParameterAction Parameter(KeyValueMutation message, string path, ICollection<string> notes)
    {
        if (message.Append is not { } append)
        {
            return message.Remove.Length > 0
                ? new QueryParameterAction(message.Remove, null, HeaderWrite.Overwrite)
                : throw new ResourceRejectedException(path, "one of append and remove must be set");
        }

        if (append.Record?.Value is not { KindCase: Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue } value)
        {
            throw new ResourceRejectedException(path + ".append.record.value", "must be a string");
        }

        return new QueryParameterAction(
            append.Record.Key,
            HeaderActionCompiler.Format(value.StringValue, path + ".append.record.value", notes),
            append.Action switch
            {
                Append.AppendIfExistsOrAdd => HeaderWrite.Append,
                Append.AddIfAbsent => HeaderWrite.AddIfAbsent,
                Append.OverwriteIfExistsOrAdd => HeaderWrite.Overwrite,
                Append.OverwriteIfExists => HeaderWrite.OverwriteIfExists,
                _ => throw new ResourceRejectedException(path + ".append.action", $"{append.Action} is not a known action"),
            });
    }
}
