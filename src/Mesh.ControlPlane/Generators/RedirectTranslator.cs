using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Generators;

/// <summary>Routes that answer without a destination.</summary>
internal static class RedirectTranslator
{
    /// <summary>Begins a <c>uri</c> of which the rest takes the place of the matched prefix only; older rules write <c>prefixRewrite</c> so.</summary>
    private const string PrefixPlaceholder = "%PREFIX()%";

    public static RedirectAction Translate(HTTPRedirect redirect, uint requestPort)
    {
        var action = new RedirectAction
        {
            HostRedirect = redirect.Authority,
            ResponseCode = redirect.RedirectCode switch
            {
                302 => RedirectAction.Types.RedirectResponseCode.Found,
                303 => RedirectAction.Types.RedirectResponseCode.SeeOther,
                307 => RedirectAction.Types.RedirectResponseCode.TemporaryRedirect,
                308 => RedirectAction.Types.RedirectResponseCode.PermanentRedirect,
                _ => RedirectAction.Types.RedirectResponseCode.MovedPermanently,
            },
        };
        if (redirect.PrefixRewrite.Length > 0)
        {
            action.PrefixRewrite = redirect.PrefixRewrite;
        }
        else if (redirect.Uri.StartsWith(PrefixPlaceholder, StringComparison.Ordinal))
        {
            action.PrefixRewrite = redirect.Uri[PrefixPlaceholder.Length..];
        }
        else if (redirect.Uri.Length > 0)
        {
            action.PathRedirect = redirect.Uri;
        }

        if (redirect.Scheme.Length > 0)
        {
            action.SchemeRedirect = redirect.Scheme;
        }

        action.PortRedirect = PortOf(redirect, requestPort);
        return action;
    }

    public static DirectResponseAction Translate(HTTPDirectResponse response)
    {
        var action = new DirectResponseAction { Status = response.Status };
        switch (response.Body?.SpecifierCase)
        {
            case HTTPBody.SpecifierOneofCase.String:
                action.Body = new DataSource { InlineString = response.Body.String };
                break;
            case HTTPBody.SpecifierOneofCase.Bytes:
                action.Body = new DataSource { InlineBytes = response.Body.Bytes };
                break;
        }

        return action;
    }

    /// <summary>A port is written into the location only when it is not the scheme's own.</summary>
    private static uint PortOf(HTTPRedirect redirect, uint requestPort)
    {
        var port = redirect.RedirectPortCase switch
        {
            HTTPRedirect.RedirectPortOneofCase.Port => redirect.Port,
            HTTPRedirect.RedirectPortOneofCase.DerivePort when redirect.DerivePort == HTTPRedirect.Types.RedirectPortSelection.FromRequestPort => requestPort,
            _ => 0u,
        };
        return (port, redirect.Scheme) is (80, "" or "http") or (443, "https") ? 0 : port;
    }
}
