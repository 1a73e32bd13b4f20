// The simulated line's own data types as a nodeset (OPC 10000-6, annex F): a structure and an enumeration.

export const typesNamespace = 'urn:fieldline:simulated-line:types'

export const lineTypes = `<?xml version="1.0" encoding="utf-8"?>
<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
  <NamespaceUris><Uri>${typesNamespace}</Uri></NamespaceUris>
  <Models><Model ModelUri="${typesNamespace}" Version="1.0.0" PublicationDate="2024-01-01T00:00:00Z"/></Models>
  <Aliases>
    <Alias Alias="HasSubtype">i=45</Alias>
    <Alias Alias="HasEncoding">i=38</Alias>
    <Alias Alias="HasProperty">i=46</Alias>
    <Alias Alias="HasTypeDefinition">i=40</Alias>
  </Aliases>
  <UADataType NodeId="ns=1;i=1" BrowseName="1:Nameplate">
    <DisplayName>Nameplate</DisplayName>
    <References><Reference ReferenceType="HasSubtype" IsForward="false">i=22</Reference></References>
    <Definition Name="1:Nameplate">
      <Field Name="maker" DataType="i=12"/>
      <Field Name="poles" DataType="i=5"/>
      <Field Name="power" DataType="i=11"/>
    </Definition>
  </UADataType>
  <UAObject NodeId="ns=1;i=2" BrowseName="Default Binary" SymbolicName="DefaultBinary">
    <DisplayName>Default Binary</DisplayName>
    <References>
      <Reference ReferenceType="HasEncoding" IsForward="false">ns=1;i=1</Reference>
      <Reference ReferenceType="HasTypeDefinition">i=76</Reference>
    </References>
  </UAObject>
  <UADataType NodeId="ns=1;i=3" BrowseName="1:Mode">
    <DisplayName>Mode</DisplayName>
    <References>
      <Reference ReferenceType="HasSubtype" IsForward="false">i=29</Reference>
      <Reference ReferenceType="HasProperty">ns=1;i=4</Reference>
    </References>
    <Definition Name="1:Mode">
      <Field Name="Stopped" Value="0"/>
      <Field Name="Running" Value="1"/>
      <Field Name="Fault" Value="2"/>
    </Definition>
  </UADataType>
  <UAVariable NodeId="ns=1;i=4" BrowseName="EnumStrings" DataType="i=21" ValueRank="1" ArrayDimensions="3">
    <DisplayName>EnumStrings</DisplayName>
    <References>
      <Reference ReferenceType="HasProperty" IsForward="false">ns=1;i=3</Reference>
      <Reference ReferenceType="HasTypeDefinition">i=68</Reference>
    </References>
    <Value><ListOfLocalizedText xmlns="http://opcfoundation.org/UA/2008/02/Types.xsd">
      <LocalizedText><Text>Stopped</Text></LocalizedText>
      <LocalizedText><Text>Running</Text></LocalizedText>
      <LocalizedText><Text>Fault</Text></LocalizedText>
    </ListOfLocalizedText></Value>
  </UAVariable>
</UANodeSet>
`
