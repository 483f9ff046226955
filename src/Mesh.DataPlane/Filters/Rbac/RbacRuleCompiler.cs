using Envoy.Config.Core.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using MtlsAuthenticated = Envoy.Extensions.Rbac.Principals.MtlsAuthenticated.V3.Config;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles permissions and principals. Whatever is not honoured is refused: a condition that is left out lets in whom it was to keep out.</summary>
/// <param name="isHttp">Whether there are requests; without them, conditions on requests are refused.</param>
/// <param name="ignoresPathCase">Paths are compared without regard to case, whatever the rules say.</param>
internal sealed class RbacRuleCompiler(bool isHttp, bool ignoresPathCase)
{
    private const int MaxPort = 65536;

    /// <param name="message">The permission.</param>
    /// <param name="lenient">One reading of a request will do for a match.</param>
    /// <param name="path">Where it stands.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public RbacRule Compile(Permission message, bool lenient, string path)
    {
        switch (message.RuleCase)
        {
            case Permission.RuleOneofCase.AndRules:
                return new RbacRule.All([.. message.AndRules.Rules.Select((r, i) => Compile(r, lenient, $"{path}.and_rules.rules[{i}]"))]);
            case Permission.RuleOneofCase.OrRules:
                return new RbacRule.Any([.. message.OrRules.Rules.Select((r, i) => Compile(r, lenient, $"{path}.or_rules.rules[{i}]"))]);
            case Permission.RuleOneofCase.NotRule:
                return new RbacRule.Not(Compile(message.NotRule, !lenient, path + ".not_rule"));
            case Permission.RuleOneofCase.Any when message.Any:
                return new RbacRule.Anything();
            case Permission.RuleOneofCase.Header:
                return Header(message.Header, lenient, path + ".header");
            case Permission.RuleOneofCase.UrlPath:
                return Path(message.UrlPath, path + ".url_path");
            case Permission.RuleOneofCase.UriTemplate:
                return Template(message.UriTemplate, lenient, path + ".uri_template");
            case Permission.RuleOneofCase.DestinationIp:
                return new AddressRule(AddressRule.Side.Local, AddressRange.Parse(message.DestinationIp, path + ".destination_ip"));
            case Permission.RuleOneofCase.DestinationPort:
                return new PortRule((int)message.DestinationPort, (int)message.DestinationPort + 1);
            case Permission.RuleOneofCase.DestinationPortRange:
                var (start, end) = (message.DestinationPortRange.Start, message.DestinationPortRange.End);
                return start >= 0 && start < end && end <= MaxPort
                    ? new PortRule(start, end)
                    : throw new ResourceRejectedException(path + ".destination_port_range", $"[{start}, {end}) is no range of ports");
#pragma warning disable CS0612 // Superseded by sourced_metadata, and still sent.
            case Permission.RuleOneofCase.Metadata:
                return new MetadataRule(MatcherCompiler.Metadata(message.Metadata, path + ".metadata"));
#pragma warning restore CS0612
            case Permission.RuleOneofCase.SourcedMetadata:
                return Metadata(message.SourcedMetadata, path + ".sourced_metadata");
            case Permission.RuleOneofCase.RequestedServerName:
                return new ServerNameRule(MatcherCompiler.String(message.RequestedServerName, path + ".requested_server_name"));
            case Permission.RuleOneofCase.Matcher:
                throw Unsupported(message.Matcher, path + ".matcher", "where a request will go is not known before it may pass");
            default:
                throw new ResourceRejectedException(path, "one of its rules must be set");
        }
    }

    /// <inheritdoc cref="Compile(Permission, bool, string)"/>
    public RbacRule Compile(Principal message, bool lenient, string path)
    {
        switch (message.IdentifierCase)
        {
            case Principal.IdentifierOneofCase.AndIds:
                return new RbacRule.All([.. message.AndIds.Ids.Select((p, i) => Compile(p, lenient, $"{path}.and_ids.ids[{i}]"))]);
            case Principal.IdentifierOneofCase.OrIds:
                return new RbacRule.Any([.. message.OrIds.Ids.Select((p, i) => Compile(p, lenient, $"{path}.or_ids.ids[{i}]"))]);
            case Principal.IdentifierOneofCase.NotId:
                return new RbacRule.Not(Compile(message.NotId, !lenient, path + ".not_id"));
            case Principal.IdentifierOneofCase.Any when message.Any:
                return new RbacRule.Anything();
            case Principal.IdentifierOneofCase.Authenticated:
                return new PeerRule(
                    message.Authenticated.PrincipalName is { } name ? MatcherCompiler.String(name, path + ".authenticated.principal_name") : null, lenient);
#pragma warning disable CS0612 // Superseded by direct_remote_ip and sourced_metadata, and still sent.
            case Principal.IdentifierOneofCase.SourceIp:
                return new AddressRule(AddressRule.Side.DirectRemote, AddressRange.Parse(message.SourceIp, path + ".source_ip"));
            case Principal.IdentifierOneofCase.Metadata:
                return new MetadataRule(MatcherCompiler.Metadata(message.Metadata, path + ".metadata"));
#pragma warning restore CS0612
            case Principal.IdentifierOneofCase.DirectRemoteIp:
                return new AddressRule(AddressRule.Side.DirectRemote, AddressRange.Parse(message.DirectRemoteIp, path + ".direct_remote_ip"));
            case Principal.IdentifierOneofCase.RemoteIp:
                return new AddressRule(AddressRule.Side.Remote, AddressRange.Parse(message.RemoteIp, path + ".remote_ip"));
            case Principal.IdentifierOneofCase.Header:
                return Header(message.Header, lenient, path + ".header");
            case Principal.IdentifierOneofCase.UrlPath:
                return Path(message.UrlPath, path + ".url_path");
            case Principal.IdentifierOneofCase.FilterState:
                return FilterState(message.FilterState, path + ".filter_state");
            case Principal.IdentifierOneofCase.SourcedMetadata:
                return Metadata(message.SourcedMetadata, path + ".sourced_metadata");
            case Principal.IdentifierOneofCase.Custom:
                return Custom(message.Custom, path + ".custom");
            default:
                throw new ResourceRejectedException(path, "one of its identifiers must be set");
        }
    }

    private static MetadataRule Metadata(SourcedMetadata message, string path)
        => message.MetadataSource == MetadataSource.Dynamic
            ? new MetadataRule(MatcherCompiler.Metadata(message.MetadataMatcher, path + ".metadata_matcher"))
            : throw new ResourceRejectedException(path + ".metadata_source", "the metadata of routes are not kept here; only DYNAMIC is supported");

    private static IdentityRule FilterState(Envoy.Type.Matcher.V3.FilterStateMatcher message, string path)
    {
        if (message.Key != IdentityRule.FilterState)
        {
            throw new ResourceRejectedException(path + ".key", $"there is no filter state '{message.Key}' here, only {IdentityRule.FilterState}");
        }

        return message.StringMatch is { } text
            ? new IdentityRule(MatcherCompiler.String(text, path + ".string_match"))
            : throw new ResourceRejectedException(path + ".address_match", $"{IdentityRule.FilterState} is no address");
    }

    private static ProvenPeerRule Custom(TypedExtensionConfig message, string path)
    {
        if (message.TypedConfig?.Is(MtlsAuthenticated.Descriptor) != true)
        {
            throw Unsupported(message, path, $"of custom principals there is {MtlsAuthenticated.Descriptor.FullName}");
        }

        path += ".typed_config";
        var config = WireMessage.Parse(MtlsAuthenticated.Parser, message.TypedConfig.Value, path);
        WireMessage.Validate(config, message.TypedConfig.Value, MtlsAuthenticated.Parser, path);
        if (config.SanMatcher is null && !config.AnyValidatedClientCertificate)
        {
            throw new ResourceRejectedException(path, "one of san_matcher and any_validated_client_certificate must be set");
        }

        return new ProvenPeerRule(config.SanMatcher is { } san ? Tls.SanMatcher.Compile(san, path + ".san_matcher") : null);
    }

    private HeaderRule Header(Envoy.Config.Route.V3.HeaderMatcher message, bool lenient, string path)
    {
        RequireHttp(path);
        return new HeaderRule(MatcherCompiler.Header(message, path), lenient);
    }

    private PathRule Path(Envoy.Type.Matcher.V3.PathMatcher message, string path)
    {
        RequireHttp(path);
        return new PathRule(MatcherCompiler.String(ignoresPathCase ? WithoutCase(message.Path) : message.Path, path + ".path"));
    }

    private static Envoy.Type.Matcher.V3.StringMatcher WithoutCase(Envoy.Type.Matcher.V3.StringMatcher message)
    {
        var copy = message.Clone();
        copy.IgnoreCase = true;
        if (copy.SafeRegex is { } regex)
        {
            copy.IgnoreCase = false;
            regex.Regex = "(?i)" + regex.Regex;
        }

        return copy;
    }

    private UriTemplateRule Template(TypedExtensionConfig message, bool lenient, string path)
    {
        RequireHttp(path);
        if (message.TypedConfig?.Is(UriTemplateMatchConfig.Descriptor) != true)
        {
            throw Unsupported(message, path, $"a template is a {UriTemplateMatchConfig.Descriptor.FullName}");
        }

        path += ".typed_config";
        var config = WireMessage.Parse(UriTemplateMatchConfig.Parser, message.TypedConfig.Value, path);
        WireMessage.Validate(config, message.TypedConfig.Value, UriTemplateMatchConfig.Parser, path);
        return new UriTemplateRule(UriTemplate.Parse(ignoresPathCase ? config.PathTemplate.ToLowerInvariant() : config.PathTemplate, path + ".path_template"), lenient, ignoresPathCase);
    }

    private void RequireHttp(string path)
    {
        if (!isHttp)
        {
            throw new ResourceRejectedException(path, "is a condition on requests, of which a connection knows nothing");
        }
    }

    private static ResourceRejectedException Unsupported(TypedExtensionConfig message, string path, string reason)
        => new(path, $"'{message.Name}' ({message.TypedConfig?.TypeUrl}) is not supported: {reason}");
}
