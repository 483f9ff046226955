using Google.Protobuf.Reflection;

namespace Mesh.Xds.Tests.Wire;

/// <summary>The project writes its own .proto files: names, numbers and types must be the published ones.</summary>
public sealed class DescriptorTests
{
    private static readonly ILookup<string, WireFact> Fields = WireFacts.All.Where(fact => fact.Kind == "field").ToLookup(fact => fact.Name);

    [Fact]
    public void Every_field_is_the_published_one()
    {
        var carried = Descriptors.Messages.Values
            .SelectMany(message => message.Fields.InDeclarationOrder().Select(field => Describe(message, field)))
            .ToList();
        carried.Count.ShouldBeGreaterThan(1_000);

        var published = Fields.SelectMany(facts => facts).Select(fact => fact with { Rules = "" }).ToHashSet();

        carried.Where(field => !published.Contains(field)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_enum_has_all_the_published_values()
    {
        var carried = Descriptors.Enums.ToDictionary(
            type => type.FullName, type => type.Values.Select(value => (value.Name, value.Number)).Order().ToList());
        carried.Count.ShouldBeGreaterThan(30);
        var published = WireFacts.All.Where(fact => fact.Kind == "enum")
            .GroupBy(fact => fact.Name)
            .ToDictionary(group => group.Key, group => group.Select(fact => (fact.Member, fact.Number)).Order().ToList());

        foreach (var (name, values) in carried)
        {
            published.ShouldContainKey(name);
            values.ShouldBe(published[name], name);
        }
    }

    [Fact]
    public void Services_have_the_published_methods()
    {
        var carried = Descriptors.Files.SelectMany(file => file.Services).SelectMany(service => service.Methods).Select(method =>
            (method.Service.FullName, method.Name, Stream(method.IsClientStreaming) + method.InputType.FullName, Stream(method.IsServerStreaming) + method.OutputType.FullName)).ToList();
        carried.ShouldNotBeEmpty();
        var published = WireFacts.All.Where(fact => fact.Kind == "rpc").Select(fact => (fact.Name, fact.Member, fact.Cardinality, fact.Type)).ToList();

        carried.ShouldBeSubsetOf(published);
    }

    [Theory]
    [InlineData("envoy.config.rbac.v3")]
    [InlineData("envoy.extensions.filters.http.rbac.v3")]
    [InlineData("envoy.extensions.filters.network.rbac.v3")]
    [InlineData("envoy.extensions.rbac.principals.mtls_authenticated.v3")]
    [InlineData("envoy.extensions.filters.http.jwt_authn.v3")]
    [InlineData("envoy.extensions.filters.http.ext_authz.v3")]
    [InlineData("envoy.extensions.filters.network.ext_authz.v3")]
    [InlineData("envoy.extensions.transport_sockets.tls.v3")]
    [InlineData("envoy.type.matcher.v3")]
    public void Messages_that_decide_security_carry_every_published_field(string package)
    {
        var messages = Descriptors.Messages.Values.Where(message => message.File.Package == package).ToList();
        messages.ShouldNotBeEmpty();

        messages.SelectMany(Missing).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("envoy.config.route.v3.HeaderMatcher")]
    [InlineData("envoy.config.route.v3.RouteMatch")]
    [InlineData("envoy.config.route.v3.QueryParameterMatcher")]
    [InlineData("envoy.config.listener.v3.FilterChainMatch")]
    [InlineData("envoy.config.common.mutation_rules.v3.HeaderMutationRules")]
    [InlineData("envoy.type.matcher.v3.StringMatcher")]
    public void Matchers_and_all_below_them_carry_every_published_field(string root)
    {
        var reached = new HashSet<MessageDescriptor>();
        Reach(Descriptors.Messages[root], reached);

        reached.SelectMany(Missing).ShouldBeEmpty();

        static void Reach(MessageDescriptor message, HashSet<MessageDescriptor> reached)
        {
            if (!message.FullName.StartsWith("google.protobuf.", StringComparison.Ordinal) && reached.Add(message))
            {
                foreach (var field in message.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.Message && !field.IsMap))
                {
                    Reach(field.MessageType, reached);
                }
            }
        }
    }

    [Fact]
    public void The_http_connection_manager_carries_every_published_field() =>
        Missing(Descriptors.Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"]).ShouldBeEmpty();

    private static IEnumerable<string> Missing(MessageDescriptor message)
    {
        WireFacts.All.ShouldContain(fact => fact.Kind == "message" && fact.Name == message.FullName);
        return Fields[message.FullName].Where(fact => message.FindFieldByName(fact.Member) is null).Select(fact => $"{fact.Name}.{fact.Member}");
    }

    private static WireFact Describe(MessageDescriptor message, FieldDescriptor field)
    {
        var cardinality = field.IsMap ? "" : field.IsRepeated ? "repeated" : field.HasPresence && field.ContainingOneof is { IsSynthetic: true } ? "optional" : "";
        var type = field.IsMap
            ? $"map<{TypeOf(field.MessageType.FindFieldByNumber(1))},{TypeOf(field.MessageType.FindFieldByNumber(2))}>"
            : TypeOf(field);
        return new WireFact("field", message.FullName, field.Name, field.FieldNumber, cardinality, type, field.RealContainingOneof?.Name ?? "", "");
    }

    private static string TypeOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => field.MessageType.FullName,
        FieldType.Enum => field.EnumType.FullName,
        _ => field.FieldType.ToString().ToLowerInvariant(),
    };

    private static string Stream(bool stream) => stream ? "stream " : "";
}
