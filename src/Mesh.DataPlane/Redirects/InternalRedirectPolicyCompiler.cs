using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Extensions.InternalRedirect.AllowListedRoutes.V3;
using Envoy.Extensions.InternalRedirect.PreviousRoutes.V3;
using Envoy.Extensions.InternalRedirect.SafeCrossScheme.V3;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using EnvoyPolicy = Envoy.Config.Route.V3.InternalRedirectPolicy;

namespace Mesh.DataPlane.Redirects;

/// <summary>Compiles internal redirects.</summary>
internal static class InternalRedirectPolicyCompiler
{
    // The requests that follow each other hold on to each other: a loop must end.
    private const uint MaxRedirects = 50;

    public static InternalRedirectPolicy? Compile(EnvoyPolicy? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        if (message.MaxInternalRedirects > MaxRedirects)
        {
            notes.Add($"{path}.max_internal_redirects is taken for {MaxRedirects}");
        }

        var policy = new InternalRedirectPolicy
        {
            MaxRedirects = Math.Min(message.MaxInternalRedirects ?? 1, MaxRedirects),
            AllowsCrossScheme = message.AllowCrossSchemeRedirect,
            HeadersToCopy = [.. HeadersToCopy(message, path + ".response_headers_to_copy", notes)],
        };
        if (message.RedirectResponseCodes.Count > 0)
        {
            policy = policy with { Statuses = [.. Statuses(message, path + ".redirect_response_codes", notes)] };
        }

        for (var i = 0; i < message.Predicates.Count; i++)
        {
            policy = Add(policy, message.Predicates[i], $"{path}.predicates[{i}]");
        }

        return policy;
    }

    private static IEnumerable<HttpStatusCode> Statuses(EnvoyPolicy message, string path, ICollection<string> notes)
    {
        for (var i = 0; i < message.RedirectResponseCodes.Count; i++)
        {
            var code = message.RedirectResponseCodes[i];
            if (code is 301 or 302 or 303 or 307 or 308)
            {
                yield return (HttpStatusCode)code;
            }
            else
            {
                notes.Add($"{path}[{i}]: {code} is no redirect that could be followed");
            }
        }
    }

    private static IEnumerable<HeaderName> HeadersToCopy(EnvoyPolicy message, string path, ICollection<string> notes)
    {
        for (var i = 0; i < message.ResponseHeadersToCopy.Count; i++)
        {
            var name = HeaderMutationsCompiler.Name(message.ResponseHeadersToCopy[i], $"{path}[{i}]", "copied");
            if (name.IsContentHeader)
            {
                notes.Add($"{path}[{i}]: {name} tells of the redirect's own body and is not copied");
            }
            else
            {
                yield return name;
            }
        }
    }

    // A predicate only ever says no: what is not known would have.
    private static InternalRedirectPolicy Add(InternalRedirectPolicy policy, TypedExtensionConfig predicate, string path)
    {
        var config = predicate.TypedConfig;
        if (config?.Is(PreviousRoutesConfig.Descriptor) == true)
        {
            return policy with { RefusesPreviousRoutes = true };
        }

        if (config?.Is(SafeCrossSchemeConfig.Descriptor) == true)
        {
            return policy with { RefusesToHttps = true };
        }

        if (config?.Is(AllowListedRoutesConfig.Descriptor) == true)
        {
            var list = WireMessage.Parse(AllowListedRoutesConfig.Parser, config.Value, path + ".typed_config");
            WireMessage.Validate(list, config.Value, AllowListedRoutesConfig.Parser, path + ".typed_config");
            return policy with { AllowedRoutes = [.. policy.AllowedRoutes, list.AllowedRouteNames.ToHashSet(StringComparer.Ordinal)] };
        }

        throw new ResourceRejectedException(path, $"'{predicate.Name}' is not supported, and without it more redirects would be followed");
    }
}
