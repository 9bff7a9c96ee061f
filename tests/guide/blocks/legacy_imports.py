from maim_message import (
    MessageClient, MessageServer, Router, RouteConfig, TargetConfig,
    MessageBase, Seg, GroupInfo, UserInfo, FormatInfo, TemplateInfo,
    BaseMessageInfo, InfoBase, SenderInfo, ReceiverInfo
)
