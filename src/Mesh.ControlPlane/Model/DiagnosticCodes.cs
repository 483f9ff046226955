namespace Mesh.ControlPlane.Model;

/// <summary>The codes of what the model finds: Istio's where <c>istioctl analyze</c> has one for the same thing.</summary>
internal static class DiagnosticCodes
{
    /// <summary>ReferencedResourceNotFound: a host, subset or port that nothing declares.</summary>
    public const string ReferencedResourceNotFound = "IST0101";

    /// <summary>ConflictingMeshGatewayVirtualServiceHosts.</summary>
    public const string ConflictingVirtualServiceHosts = "IST0109";

    /// <summary>ConflictingSidecarWorkloadSelectors.</summary>
    public const string ConflictingSidecarSelectors = "IST0110";

    /// <summary>MultipleSidecarsWithoutWorkloadSelectors.</summary>
    public const string SeveralDefaultSidecars = "IST0111";

    /// <summary>VirtualServiceDestinationPortSelectorRequired.</summary>
    public const string PortRequired = "IST0112";

    /// <summary>NoMatchingWorkloadsFound.</summary>
    public const string NoMatchingWorkloads = "IST0127";

    /// <summary>VirtualServiceUnreachableRule.</summary>
    public const string UnreachableRule = "IST0130";

    /// <summary>VirtualServiceIneffectiveMatch: a match that an earlier one already takes.</summary>
    public const string IneffectiveMatch = "IST0131";

    /// <summary>InvalidTelemetryProvider: access logs without anybody who writes them.</summary>
    public const string TelemetryWithoutProviders = "IST0157";

    /// <summary>ConflictingTelemetryWorkloadSelectors.</summary>
    public const string ConflictingTelemetrySelectors = "IST0159";

    /// <summary>MultipleTelemetriesWithoutWorkloadSelectors.</summary>
    public const string SeveralDefaultTelemetries = "IST0160";

    /// <summary>A field that is valid but that this control plane does not act upon.</summary>
    public const string NotApplied = "MESH0004";

    /// <summary>The same host or subset is declared by two documents; the first one counts.</summary>
    public const string DuplicateDeclaration = "MESH0101";

    /// <summary>A route of a delegate that matches what its root does not.</summary>
    public const string DelegateConflict = "MESH0102";

    /// <summary>A VirtualService without hosts that none delegates to.</summary>
    public const string UnusedDelegate = "MESH0103";

    /// <summary>An issuer of tokens does not say where its keys are.</summary>
    public const string IssuerUnknown = "MESH0104";
}
