using System.Net;
using Mesh.DataPlane.Inbound.Http;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin;

/// <summary>
/// Who may ask the admin. A browser on this machine is no protection by itself: any page in it can send requests to loopback, and a name that leads here
/// (DNS rebinding) would let it read the answers. So names, origins and, unless somebody else has authorized the caller, the address are looked at.
/// </summary>
/// <param name="AnswersRemote">Callers on other machines may read.</param>
/// <param name="IsAuthorized">Somebody else has judged the caller: address and name do not matter any more.</param>
/// <param name="HidesFromStrangers">Who may not read is not told that there is anything: the application's own port answers 404.</param>
/// <param name="AllowedHosts">Names that are ours.</param>
internal sealed record AdminAccess(bool AnswersRemote, bool IsAuthorized, bool HidesFromStrangers, IReadOnlyCollection<string> AllowedHosts)
{
    private const string Localhost = "localhost";

    private static readonly AdminRefusal Stranger = new(
        StatusCodes.Status403Forbidden, "only callers on this machine who come directly are answered; app.MapMeshAdmin(…).RequireAuthorization(…) opens it to whom the application authorizes");

    private static readonly AdminRefusal OtherSite = new(StatusCodes.Status403Forbidden, "the request comes from a page of another origin");

    private static readonly AdminRefusal OtherName = new(
        StatusCodes.Status403Forbidden, "the request is for a host name that is not known to be ours; ask for an IP address or localhost, or name the host in Mesh:Admin:AllowedHosts");

    private static readonly AdminRefusal RemoteChange = new(StatusCodes.Status403Forbidden, "changes are taken from this machine only, from callers who come directly");

    // Whoever sets one of these has passed a request on for somebody else.
    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Original-For",
        "X-Original-Host", "X-Original-Proto", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP", "X-Envoy-External-Address", "Via",
    ];

    /// <summary>Why a caller gets no answer; <see langword="null"/> for one who does.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isChange">It would change something.</param>
    public AdminRefusal? Refuse(HttpContext context, bool isChange)
    {
        if (!IsAuthorized)
        {
            var isNear = IsOnThisMachine(context) && CameDirectly(context);
            if (!isNear && !AnswersRemote)
            {
                return HidesFromStrangers ? Stranger with { Status = StatusCodes.Status404NotFound, IsTold = false } : Stranger;
            }

            if (!IsOwnName(context.Request.Host))
            {
                return OtherName;
            }

            if (isChange && !isNear)
            {
                return RemoteChange;
            }
        }

        return IsOfOtherSite(context.Request, isChange) ? OtherSite : null;
    }

    // The address of the connection itself: forwarded headers may have put another one in its place for the application.
    private static bool IsOnThisMachine(HttpContext context)
        => context.Connection.RemoteIpAddress is { } remote
            && IsLoopback(remote)
            && (context.Features.Get<IConnectionEndPointFeature>()?.RemoteEndPoint is not { } end || (end is IPEndPoint { Address: var address } && IsLoopback(address)));

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool CameDirectly(HttpContext context)
    {
        var headers = context.Request.Headers;
        var isCovered = context.Features.Get<IInboundConnection>() is { Http: not null };
        foreach (var name in ForwardingHeaders)
        {
            if (headers.TryGetValue(name, out var values) && !(isCovered && IsOfOwnDoor(name, values.ToString())))
            {
                return false;
            }
        }

        return true;
    }

    // On a covered port the mesh's own way in tells the scheme, and perhaps the address of whoever connected.
    private static bool IsOfOwnDoor(string name, string value)
        => name switch
        {
            "X-Forwarded-Proto" => value is "http" or "https",
            "X-Forwarded-For" or "X-Envoy-External-Address" => IPAddress.TryParse(value, out var address) && IsLoopback(address),
            _ => false,
        };

    private bool IsOwnName(HostString host)
        => host.Host is { Length: > 0 } name
            && (name.Equals(Localhost, StringComparison.OrdinalIgnoreCase)
                || IPAddress.TryParse(name, out _)
                || AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase));

    // Browsers say where a request comes from (Fetch Metadata), and since ever the origin of one that changes something; programs say neither.
    private static bool IsOfOtherSite(HttpRequest request, bool isChange)
    {
        var origin = request.Headers.Origin.ToString();
        switch (request.Headers["Sec-Fetch-Site"].ToString())
        {
            case "same-origin" or "none":
                return false;
            case "":
                return origin.Length > 0 && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
            default:
                // A link from elsewhere opens a page like any other; nobody but the person in front of it sees it.
                return isChange || request.Headers["Sec-Fetch-Mode"] != "navigate" || request.Headers["Sec-Fetch-Dest"] != "document";
        }
    }
}
